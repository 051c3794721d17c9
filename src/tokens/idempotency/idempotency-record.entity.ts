import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** That a call with an `Idempotency-Key` was made, and for a short while its outcome. */
@Entity('idempotency_records')
export class IdempotencyRecord {
  /** HMAC-SHA-256 of caller, route and key. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'idempotency_records_pkey' })
  id!: Buffer;

  /** HMAC-SHA-256 of key and body. */
  @Column('bytea')
  fingerprint!: Buffer;

  @Column('timestamp with time zone', { precision: 3 })
  @Index('idempotency_records_created')
  createdAt!: Date;

  /** The tokens of the outcome, with their values: sealed under the ring and the caller's key together. */
  @Column('text', { nullable: true })
  sealedOutcome!: string | null;
}
