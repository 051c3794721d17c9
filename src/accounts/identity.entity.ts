import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/** Whom an identity provider knows a user as; of one provider a user has one at most. */
@Entity('identities')
@Index('identities_subject', ['issuer', 'subject'], { unique: true })
@Index('identities_user', ['userId', 'issuer'], { unique: true })
export class Identity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'identities_pkey' })
  id!: string;

  /** `iss` of the ID token. */
  @Column('text')
  issuer!: string;

  /** `sub` of the ID token. */
  @Column('text')
  subject!: string;

  @Column('uuid')
  userId!: string;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'identities_user_fkey' })
  user!: Relation<User>;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  @Column('timestamp with time zone', { precision: 3 })
  lastUsedAt!: Date;
}
