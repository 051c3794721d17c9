import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { canonicalJson } from './canonical-json.js';

/** What a seal says, and its signature covers. */
export interface SealStatement {
  sequence: number;
  firstEvent: string;
  lastEvent: string;
  events: number;
  root: string;
  previousRoot: string | null;
  sealedAt: Date;
  key: string;
}

/** The root of a Merkle tree (RFC 9162) over some events, chained to the seal before and signed. Written once. */
@Entity('audit_seals')
@Index('audit_seals_late', { synchronize: false })
export class AuditSeal implements SealStatement {
  /** 1, 2, 3, … */
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'audit_seals_pkey' })
  sequence!: number;

  @Column('uuid')
  firstEvent!: string;

  @Column('uuid')
  lastEvent!: string;

  @Column('integer')
  events!: number;

  /** Of this seal and all before it. */
  @Column('bigint')
  totalEvents!: string;

  /** Hexadecimal, as is the previous one's; null in the first seal. */
  @Column('text')
  root!: string;

  @Column('text', { nullable: true })
  previousRoot!: string | null;

  @Column('timestamp with time zone', { precision: 3 })
  sealedAt!: Date;

  /** The id of the key that signed. */
  @Column('text')
  key!: string;

  /** Ed25519, base64url. */
  @Column('text')
  signature!: string;

  /**
   * All events up to this ordinal are sealed, but those whose transactions were not over yet; 0 for a seal of events that
   * are older than seals.
   */
  @Column('bigint')
  through!: string;

  /** The lowest ordinal of events that an earlier seal could not see yet. */
  @Column('bigint', { nullable: true })
  lateFrom!: string | null;

  /** The time of its newest event, but not beyond `sealedAt`: what retention goes by. */
  @Column('timestamp with time zone', { precision: 3 })
  newestEventAt!: Date;

  /** Of each event the id, the ordinal and the hash of the leaf; null once they are pruned. See `leaves.ts`. */
  @Column('bytea', { nullable: true, select: false })
  leaves!: Buffer | null;
}

/** What the signature of a seal signs: the seal as the API shows it, but the signature, in canonical JSON (RFC 8785). */
export function signedTextOf(seal: SealStatement): string {
  const { sequence, firstEvent, lastEvent, events, root, previousRoot, sealedAt, key } = seal;
  return canonicalJson({ sequence, firstEvent, lastEvent, events, root, previousRoot, sealedAt, key });
}
