import {
  Column,
  Entity,
  Generated,
  Index,
  JoinColumn,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { User } from '../accounts/user.entity.js';

export type TokenStatus = 'active' | 'inactive' | 'expired' | 'revoked';

/** Who made or changed a token. Kept by value: the maker may be deleted, the ids of dialects that name it stay. */
export class ActorSnapshot {
  @Column('text', { nullable: true })
  type!: 'user' | 'token' | 'system' | null;

  @Column('uuid', { nullable: true })
  id!: string | null;

  @Column('text', { nullable: true })
  name!: string | null;

  /** When the user or token itself was made: some dialects' ids are built of it. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  createdAt!: Date | null;
}

const SLOT_MS = 900_000;

/** The quarter of an hour of a moment in milliseconds, counted from 1970. */
export function slotOf(milliseconds: number): number {
  return Math.floor(milliseconds / SLOT_MS);
}

/**
 * When and from where a token was used last. A table of its own: it is written far more often than tokens change, so its
 * rows are short, its one index is on what never changes, and its pages have room, which lets an update stay in its page.
 * The row is made with the token's; one that is missing is made at the first use.
 */
@Entity('last_uses')
@Index('last_uses_slot', ['usedSlot', 'tokenUuid'])
export class LastUse {
  /** The token's uuid. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'last_uses_pkey' })
  tokenUuid!: string;

  // Tokens are never deleted; a foreign key would be looked at with every token that is made.
  @OneToOne(() => Token, ({ lastUse }) => lastUse, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'token_uuid' })
  token!: Relation<Token>;

  /** Null: never. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  usedAt!: Date | null;

  @Column('text', { nullable: true })
  address!: string | null;

  @Column('text', { nullable: true })
  userAgent!: string | null;

  /**
   * The quarter of an hour of `usedAt`, counted from 1970; 0: never. It stands for the moment in an index: a use is written
   * up to once a minute, and only where this changes is the index written as well.
   */
  @Column('integer', { default: 0, select: false })
  usedSlot!: number;
}

/** An API token of any dialect: what the core checks, in typed columns, and what its dialect gives back, in one. */
@Entity('tokens')
@Index('tokens_unique_name', ['ownerId', 'uniqueName'], { unique: true })
@Index('tokens_owner', ['ownerId', 'dialect', 'createdAt', 'id'])
@Index('tokens_owner_name', { synchronize: false })
@Index('tokens_owner_numeric', ['ownerId', 'dialect', 'numericId'])
@Index('tokens_organization', ['organizationId', 'dialect', 'createdAt', 'id'])
@Index('tokens_created', ['createdAt', 'id'])
@Index('tokens_created_by', ['createdBy.id'])
@Index('tokens_name', { synchronize: false })
@Index('tokens_organization_name', { synchronize: false })
@Index('tokens_expiry', ['expiresAt', 'id'])
@Index('tokens_organization_expiry', ['organizationId', 'expiresAt', 'id'])
@Index('tokens_organization_created', ['organizationId', 'createdAt', 'id'])
@Index('tokens_scopes', { synchronize: false })
@Index('tokens_text', { synchronize: false })
export class Token {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'tokens_pkey' })
  id!: string;

  @Column('integer')
  @Generated('increment')
  @Index('tokens_numeric_id', { unique: true })
  numericId!: number;

  /** The public part of the value, `pt-` and 12 letters or digits: safe to log and show. */
  @Column('text')
  @Index('tokens_token_id', { unique: true })
  tokenId!: string;

  /** Which dialect issued it; to the core an opaque word. */
  @Column('text')
  dialect!: string;

  @Column('uuid')
  ownerId!: string;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'tokens_owner_fkey' })
  owner!: Relation<User>;

  /** The owner's organization; it follows the owner. */
  @Column('uuid')
  organizationId!: string;

  @Column('text')
  name!: string;

  /** Filled by a dialect whose names must be unique among an owner's tokens, revoked ones included. */
  @Column('text', { nullable: true })
  uniqueName!: string | null;

  @Column('text', { nullable: true })
  description!: string | null;

  /** In the words of its dialect. */
  @Column('text', { array: true })
  scopes!: string[];

  /** CIDR blocks as they were written, checked; empty means from anywhere. */
  @Column('text', { array: true })
  allowedCidrs!: string[];

  @Column('boolean')
  inactive!: boolean;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  expiresAt!: Date | null;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  @Column(() => ActorSnapshot)
  createdBy!: ActorSnapshot;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  updatedAt!: Date | null;

  @Column(() => ActorSnapshot)
  updatedBy!: ActorSnapshot;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  rotatedAt!: Date | null;

  /** Read along for answers; undefined where it was not. */
  @OneToOne(() => LastUse, ({ token }) => token)
  lastUse?: Relation<LastUse> | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  revokedAt!: Date | null;

  @Column(() => ActorSnapshot)
  revokedBy!: ActorSnapshot;

  @Column('text', { nullable: true })
  revokeReason!: string | null;

  /** HMAC-SHA-256 of the whole value, 32 bytes. Never selected unless asked for. */
  @Column('bytea', { select: false })
  digest!: Buffer;

  /** The key of the ring that made the digest. */
  @Column('text', { select: false })
  digestKey!: string;

  /** While a rotation's grace lasts: the digest of the value before it. See rotation/rotation.ts. */
  @Column('bytea', { nullable: true, select: false })
  previousDigest!: Buffer | null;

  @Column('text', { nullable: true, select: false })
  previousDigestKey!: string | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  previousValidUntil!: Date | null;

  /** Whether the first use of the current value cuts that grace short, and has not yet. */
  @Column('boolean', { default: false, select: false })
  retiresOnFirstUse!: boolean;

  /** An encrypted copy of the value, kept only where a setting asks for it. */
  @Column('text', { nullable: true, select: false })
  sealedValue!: string | null;

  /** What the issuing dialect merely gives back. */
  @Column('jsonb')
  dialectFields!: Record<string, unknown>;

  /** @param now by default this moment, which is only asked for where something expires: a Date costs. */
  isExpired(now?: Date): boolean {
    return this.expiresAt !== null && this.expiresAt <= (now ?? new Date());
  }

  /** Until when the value before the last rotation works beside the current one; null when it does not any more. */
  graceEnd(now: Date = new Date()): Date | null {
    const { previousValidUntil: end } = this;
    return end !== null && end > now && this.status(now) === 'active' ? end : null;
  }

  get lastUsedAt(): Date | null {
    return this.lastUse?.usedAt ?? null;
  }

  isRevoked(): boolean {
    return this.revokedAt !== null;
  }

  /** Revoked, expired, inactive, active: the first that holds. */
  status(now?: Date): TokenStatus {
    if (this.isRevoked()) return 'revoked';
    if (this.isExpired(now)) return 'expired';
    return this.inactive ? 'inactive' : 'active';
  }
}
