import {
  Column,
  Entity,
  type EntityManager,
  JoinColumn,
  OneToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { Organization } from '../../accounts/organization.entity.js';

/** What is done about a value that was retired by a rotation and turns up again. */
export const REUSE_REACTIONS = ['alert', 'revoke'] as const;
/** What is done about a token that is reported as leaked. */
export const LEAK_REACTIONS = ['notify', 'revoke'] as const;

/** What an organization wants of the tokens of its users; null is "no limit". docs/policy.md says what each rule does. */
export interface PolicySettings {
  /** How long a token may live from its issue, or its last rotation, on. With it a token without an expiry breaks the rule. */
  maxLifetimeSeconds: number | null;
  /** The lifetime of a token for which nobody names an expiry; null: the maximum. */
  defaultLifetimeSeconds: number | null;
  allowNonExpiring: boolean;
  /** After how long without a use a token is to be revoked. */
  maxUnusedSeconds: number | null;
  /** How many tokens, of all dialects together, a user may have that are neither revoked nor expired. */
  maxTokensPerUser: number | null;
  /** CIDR blocks within which those of every token lie; empty: anywhere. A token without blocks gets these. */
  allowedCidrs: string[];
  /** Whether a token must have CIDR blocks. */
  requireCidrs: boolean;
  /** How long the old value works on after a rotation that names no grace. */
  defaultGraceSeconds: number;
  onReuse: (typeof REUSE_REACTIONS)[number];
  onLeak: (typeof LEAK_REACTIONS)[number];
}

/** What an organization has until somebody gives it a policy. */
export const DEFAULT_POLICY: Readonly<PolicySettings> = {
  maxLifetimeSeconds: null,
  defaultLifetimeSeconds: null,
  allowNonExpiring: true,
  maxUnusedSeconds: null,
  maxTokensPerUser: null,
  allowedCidrs: [],
  requireCidrs: false,
  defaultGraceSeconds: 0,
  onReuse: 'alert',
  onLeak: 'revoke',
};

/** The policy of an organization. Its row is made with the organization's, so that there is one to be locked. */
@Entity('policies')
export class Policy implements PolicySettings {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'policies_pkey' })
  organizationId!: string;

  @OneToOne(() => Organization)
  @JoinColumn({ name: 'organization_id', foreignKeyConstraintName: 'policies_organization_fkey' })
  organization!: Relation<Organization>;

  @Column('integer', { nullable: true })
  maxLifetimeSeconds!: number | null;

  @Column('integer', { nullable: true })
  defaultLifetimeSeconds!: number | null;

  @Column('boolean')
  allowNonExpiring!: boolean;

  @Column('integer', { nullable: true })
  maxUnusedSeconds!: number | null;

  @Column('integer', { nullable: true })
  maxTokensPerUser!: number | null;

  @Column('text', { array: true })
  allowedCidrs!: string[];

  @Column('boolean')
  requireCidrs!: boolean;

  @Column('integer')
  defaultGraceSeconds!: number;

  @Column('text')
  onReuse!: PolicySettings['onReuse'];

  @Column('text')
  onLeak!: PolicySettings['onLeak'];

  /** Counts the changes; 0 where no row is there. */
  @Column('integer')
  version!: number;

  @Column('timestamp with time zone', { precision: 3 })
  updatedAt!: Date;
}

/** A policy with these settings, as it is after so many changes. */
export function policyOf(
  organizationId: string,
  { allowedCidrs, ...settings }: Readonly<PolicySettings>,
  version: number,
): Policy {
  return Object.assign(new Policy(), {
    ...settings,
    allowedCidrs: [...allowedCidrs],
    organizationId,
    version,
    updatedAt: new Date(),
  });
}

/** Gives a new organization its policy, in the transaction that makes it. */
export async function makeFirstPolicy(manager: EntityManager, organizationId: string): Promise<void> {
  await manager.insert(Policy, policyOf(organizationId, DEFAULT_POLICY, 1));
}

/** The settings alone: what is asked for, answered and kept in the audit trail. */
export function settingsOf(policy: PolicySettings): PolicySettings {
  return {
    maxLifetimeSeconds: policy.maxLifetimeSeconds,
    defaultLifetimeSeconds: policy.defaultLifetimeSeconds,
    allowNonExpiring: policy.allowNonExpiring,
    maxUnusedSeconds: policy.maxUnusedSeconds,
    maxTokensPerUser: policy.maxTokensPerUser,
    allowedCidrs: policy.allowedCidrs,
    requireCidrs: policy.requireCidrs,
    defaultGraceSeconds: policy.defaultGraceSeconds,
    onReuse: policy.onReuse,
    onLeak: policy.onLeak,
  };
}
