import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { type Role, User } from '../../accounts/user.entity.js';

/** A sign-in of a browser. Its random value is with the browser alone. */
@Entity('sessions')
@Index('sessions_digest', ['digest'], { unique: true })
@Index('sessions_user', ['userId', 'createdAt', 'id'])
export class Session {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sessions_pkey' })
  id!: string;

  /** A keyed digest of the value; which key made it is found by trying all. */
  @Column('bytea', { select: false })
  digest!: Buffer;

  @Column('uuid')
  userId!: string;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'sessions_user_fkey' })
  user!: Relation<User>;

  /** Who vouched for the user; null: the user, by password. */
  @Column('text', { nullable: true })
  provider!: string | null;

  /** Of the user at the sign-in, as is the role: with either it ends. */
  @Column('integer')
  passwordVersion!: number;

  @Column('text')
  role!: Role;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  /** Up to a minute behind. */
  @Column('timestamp with time zone', { precision: 3 })
  lastUsedAt!: Date;

  /** Exclusive; it may end earlier, for want of use. */
  @Column('timestamp with time zone', { precision: 3 })
  expiresAt!: Date;

  /** Of the sign-in, as is the user agent. */
  @Column('text', { nullable: true })
  address!: string | null;

  @Column('text', { nullable: true })
  userAgent!: string | null;
}
