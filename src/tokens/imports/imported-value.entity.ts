import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * How an imported value is found: by what its hash is, with no salt (`sha256`, `hmac-sha256`, `grafana`); by a part of it
 * that may be seen (`visible`), or by the login that comes with it (`login`), and then by trying the hash; and, once it was
 * used, by itself (`value`).
 */
export type ImportedKind = 'sha256' | 'hmac-sha256' | 'grafana' | 'visible' | 'login' | 'value';

/** The value of a token that another system issued. Its token has no digest before the value was used for the first time. */
@Entity('imported_values')
@Index('imported_values_foreign_key', ['source', 'organizationId', 'foreignKey'], { unique: true })
export class ImportedValue {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'imported_values_pkey' })
  tokenUuid!: string;

  /** The owner's at the import. */
  @Column('uuid')
  organizationId!: string;

  /** The system that it comes from, as whoever imported it calls that. */
  @Column('text')
  source!: string;

  /** What it is told apart by within its source: its id there, or its hash. */
  @Column('text')
  foreignKey!: string;

  @Column('text', { nullable: true })
  foreignId!: string | null;

  /** Of the hash: no value is imported twice. */
  @Column('bytea', { select: false })
  @Index('imported_values_fingerprint', { unique: true })
  fingerprint!: Buffer;

  @Column('text')
  kind!: ImportedKind;

  /** A keyed digest of what it is found by; null where that is the login. */
  @Column('bytea', { nullable: true, select: false })
  @Index('imported_values_lookup')
  lookup!: Buffer | null;

  /** What a value is to be tried on, until that is done. */
  @Column('text', { nullable: true, select: false })
  hash!: string | null;

  @Column('timestamp with time zone', { precision: 3 })
  importedAt!: Date;

  /** When the value was used for the first time, and digested anew. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  usedAt!: Date | null;
}
