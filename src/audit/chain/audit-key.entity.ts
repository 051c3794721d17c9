import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A public key that seals were signed with. It counts if it is of the ring, or a key of the ring has signed for it. */
@Entity('audit_keys')
export class AuditKey {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'audit_keys_pkey' })
  id!: string;

  /** The key, as in a JWK (RFC 8037). */
  @Column('text')
  x!: string;

  /** The id of the key that signed for it. */
  @Column('text')
  endorsedBy!: string;

  /** That signature (Ed25519, base64url). */
  @Column('text')
  endorsement!: string;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;
}
