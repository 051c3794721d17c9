import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair that signs JWTs. The newest one that may sign does; the others are only published. */
@Entity('signing_keys')
export class SigningKey {
  /** 1, 2, 3, …: of two replicas that make the next key at once, one wins. */
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'signing_keys_pkey' })
  generation!: number;

  /** The `kid` of what it signs, in the form of libtrust. */
  @Column('text')
  keyId!: string;

  /** Self-signed, PEM. */
  @Column('text')
  certificate!: string;

  /** PKCS #8 in PEM, sealed under the server's key ring and bound to the `keyId`. */
  @Column('text')
  sealedPrivateKey!: string;

  /** Published from then on. */
  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  /** Before that it is published and does not sign. */
  @Column('timestamp with time zone', { precision: 3 })
  signsFrom!: Date;
}
