import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A value that a token had before a rotation, by its digest: if it turns up, somebody has kept it, or taken it. */
@Entity('retired_values')
export class RetiredValue {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'retired_values_pkey' })
  tokenUuid!: string;

  /** HMAC-SHA-256 of the whole value, 32 bytes. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'retired_values_pkey' })
  digest!: Buffer;

  /** The key of the ring that made the digest. */
  @Column('text')
  digestKey!: string;

  /** When it stopped working, or will: the end of its grace. */
  @Column('timestamp with time zone', { precision: 3 })
  @Index('retired_values_retired_at')
  retiredAt!: Date;

  /** When it last was an audit event that it turned up. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  reusedAt!: Date | null;
}
