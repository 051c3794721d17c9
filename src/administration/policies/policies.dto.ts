import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  Min,
} from 'class-validator';
import { Optional } from '../../http/validation/fields.js';
import { LEAK_REACTIONS, type PolicySettings, REUSE_REACTIONS } from '../../tokens/policy/policy.entity.js';
import type { PolicyRule } from '../../tokens/policy/policy-preview.js';
import { MAX_GRACE_SECONDS } from '../../tokens/rotation/rotation.js';
import { Token } from '../tokens/tokens.dto.js';

/** More than 31 years. */
const MAX_SECONDS = 1_000_000_000;
const MAX_TOKENS = 1_000_000;

/** The body that replaces a policy; keys that are left out have their defaults. */
export class ReplacePolicy implements PolicySettings {
  /**
   * How long a token may live, in seconds, counted from its issue or its last rotation. Null: without limit. If it is set,
   * every token must have an expiry.
   * @example 7776000
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SECONDS)
  maxLifetimeSeconds: number | null = null;

  /**
   * The lifetime, in seconds, of a token whose creation names no expiry. Null: `maxLifetimeSeconds`.
   * @example 2592000
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SECONDS)
  defaultLifetimeSeconds: number | null = null;

  /** Whether a token may have no expiry. */
  @Optional()
  @IsBoolean()
  allowNonExpiring: boolean = true;

  /**
   * After how many seconds without a use (or, never used, since its creation) a token is to be revoked. Null: never.
   * @example 7776000
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SECONDS)
  maxUnusedSeconds: number | null = null;

  /**
   * How many tokens that are neither revoked nor expired a user may have, of all APIs together. Null: without limit.
   * @example 50
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TOKENS)
  maxTokensPerUser: number | null = null;

  /**
   * CIDR blocks that the blocks of every token must lie within; a token created without blocks gets these. Empty: no
   * restriction.
   * @example ['203.0.113.0/24']
   */
  @Optional()
  @IsArray()
  // As of a token: only a number gets into the document.
  @ArrayMaxSize(100)
  @IsString({ each: true })
  allowedCidrs: string[] = [];

  /** Whether every token must have CIDR blocks. */
  @Optional()
  @IsBoolean()
  requireCidrs: boolean = false;

  /**
   * How long, in seconds, the old value keeps working after a rotation that names no grace period.
   * @example 0
   */
  @Optional()
  @IsInt()
  @Min(0)
  @Max(MAX_GRACE_SECONDS)
  defaultGraceSeconds: number = 0;

  /**
   * What happens when a value that was replaced by a rotation is presented again.
   * @example 'alert'
   */
  @Optional()
  @IsIn(REUSE_REACTIONS)
  onReuse: 'alert' | 'revoke' = 'alert';

  /**
   * What happens to a token that is reported as leaked.
   * @example 'revoke'
   */
  @Optional()
  @IsIn(LEAK_REACTIONS)
  onLeak: 'notify' | 'revoke' = 'revoke';
}

export const EXISTING = ['keep', 'conform'] as const;

/** The query of a replacement. */
export class ReplacePolicyQuery {
  /** Whether tokens that break the policy stay as they are, or a job makes them conform. */
  @Optional()
  @IsIn(EXISTING)
  existing: (typeof EXISTING)[number] = 'keep';
}

/** The policy of an organization. */
export class Policy implements PolicySettings {
  /**
   * In seconds, from a token's issue or its last rotation; null: without limit.
   * @example 7776000
   */
  maxLifetimeSeconds: number | null;

  /**
   * In seconds; null: `maxLifetimeSeconds`.
   * @example 2592000
   */
  defaultLifetimeSeconds: number | null;

  /** @example true */
  allowNonExpiring: boolean;

  /**
   * In seconds; null: without limit.
   * @example 7776000
   */
  maxUnusedSeconds: number | null;

  /**
   * Null: without limit.
   * @example 50
   */
  maxTokensPerUser: number | null;

  /**
   * Empty: no restriction.
   * @example ['203.0.113.0/24']
   */
  allowedCidrs: string[];

  /** @example false */
  requireCidrs: boolean;

  /** @example 0 */
  defaultGraceSeconds: number;

  /** @example 'alert' */
  onReuse: 'alert' | 'revoke';

  /** @example 'revoke' */
  onLeak: 'notify' | 'revoke';

  constructor(policy: PolicySettings) {
    this.maxLifetimeSeconds = policy.maxLifetimeSeconds;
    this.defaultLifetimeSeconds = policy.defaultLifetimeSeconds;
    this.allowNonExpiring = policy.allowNonExpiring;
    this.maxUnusedSeconds = policy.maxUnusedSeconds;
    this.maxTokensPerUser = policy.maxTokensPerUser;
    this.allowedCidrs = policy.allowedCidrs;
    this.requireCidrs = policy.requireCidrs;
    this.defaultGraceSeconds = policy.defaultGraceSeconds;
    this.onReuse = policy.onReuse;
    this.onLeak = policy.onLeak;
  }
}

/** How many tokens break each rule. */
export class TokensByRule implements Record<PolicyRule, number> {
  /** @example 3 */
  allowNonExpiring!: number;

  /** @example 12 */
  maxLifetimeSeconds!: number;

  /** @example 0 */
  requireCidrs!: number;

  /** @example 0 */
  allowedCidrs!: number;

  /** @example 1 */
  maxTokensPerUser!: number;

  /** @example 4 */
  maxUnusedSeconds!: number;
}

/** What a policy would mean for the tokens that are there. */
export class PolicyPreview {
  /**
   * How many tokens that are neither revoked nor expired break the policy.
   * @example 17
   */
  affected!: number;

  byRule!: TokensByRule;

  /** Up to 100 of them, newest first. */
  sample!: Token[];
}
