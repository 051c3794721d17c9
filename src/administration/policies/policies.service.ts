import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Organization } from '../../accounts/organization.entity.js';
import { findPlace } from '../../accounts/references.js';
import type { Principal } from '../../auth/principal.js';
import { UsageRecorder } from '../../decisions/usage-recorder.js';
import { isGoodText } from '../../http/validation/text.js';
import type { Job } from '../../jobs/job.entity.js';
import { Refusal } from '../../refusal.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { lacksScope } from '../../tokens/authority/admission.js';
import { checkedCidrs } from '../../tokens/allowed-cidrs.js';
import type { Policy, PolicySettings } from '../../tokens/policy/policy.entity.js';
import { type PolicyEffects, PolicyPreview } from '../../tokens/policy/policy-preview.js';
import { PolicyService } from '../../tokens/policy/policy.service.js';
import type { Token } from '../../tokens/token.entity.js';
import { TokenService } from '../../tokens/token.service.js';

/** What a job that conforms does to tokens, a caller by token must be able to do to them. */
const ENDS_TOKENS = 'patois:tokens.write';

/** Policies, for administrators and, of the own organization, organization administrators. */
@Injectable()
export class PolicyAdministrationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly policies: PolicyService,
    private readonly preview: PolicyPreview,
    private readonly tokens: TokenService,
    private readonly usage: UsageRecorder,
  ) {}

  /** @throws {Refusal} forbidden for a member; notFound, also for an organization that the caller does not administer. */
  async get(caller: Principal, reference: string): Promise<Policy> {
    const { id } = await this.organizationOf(caller, reference);
    return this.policies.find(id);
  }

  /**
   * Replaces a policy.
   *
   * @param options.existing whether tokens that break it live on as they are, or a job makes them keep it.
   * @param options.isExpected whether the policy may be replaced that is found.
   * @throws {Refusal} as {@link get}; invalid; conflict for a policy that is not expected; forbidden for more than the
   *   caller may allow.
   */
  async replace(
    caller: Principal,
    reference: string,
    body: PolicySettings,
    { existing, isExpected }: { existing: 'keep' | 'conform'; isExpected: (policy: Policy) => boolean },
  ): Promise<{ policy: Policy; job: Job | undefined }> {
    const { id } = await this.organizationOf(caller, reference);
    if (existing === 'conform' && !caller.covers(PATOIS, [ENDS_TOKENS])) throw lacksScope([ENDS_TOKENS]);
    const settings = checked(body);
    const affected =
      existing === 'conform' ? (await this.countAffected(id, settings, caller)).affected : undefined;
    return this.policies.replace(id, settings, caller, { isExpected, affected });
  }

  /**
   * What a policy would mean for the tokens of the organization, and some of those.
   *
   * @throws {Refusal} as {@link get}; invalid; unavailable where many ask at once.
   */
  async effects(
    caller: Principal,
    reference: string,
    body: PolicySettings,
  ): Promise<Omit<PolicyEffects, 'sample'> & { sample: Token[] }> {
    const { id } = await this.organizationOf(caller, reference);
    const { sample: ids, ...counts } = await this.countAffected(id, checked(body), caller);
    const sample = await this.tokens
      .query({ ids })
      .innerJoinAndSelect('token.owner', 'owner')
      .innerJoinAndSelect('owner.organization', 'organization')
      .orderBy('token.createdAt', 'DESC')
      .addOrderBy('token.id', 'DESC')
      .getMany();
    return { ...counts, sample };
  }

  private async countAffected(
    id: string,
    settings: PolicySettings,
    { user }: Principal,
  ): Promise<PolicyEffects> {
    const looksAtUse = settings.maxUnusedSeconds !== null || settings.maxTokensPerUser !== null;
    if (looksAtUse) await this.usage.flush();
    return this.preview.of(id, settings, user.id);
  }

  private async organizationOf(caller: Principal, reference: string): Promise<Organization> {
    caller.assertAdministers();
    const organization = isGoodText(reference)
      ? await findPlace(this.dataSource.manager, Organization, reference)
      : null;
    if (organization && caller.administers(organization.id)) return organization;
    throw new Refusal('notFound', { message: 'No such organization' });
  }
}

/** @throws {Refusal} invalid for blocks that are none, and for a default that is longer than the maximum. */
function checked(body: PolicySettings): PolicySettings {
  const { maxLifetimeSeconds: most, defaultLifetimeSeconds: byDefault } = body;
  if (most !== null && byDefault !== null && byDefault > most) {
    const message = 'defaultLifetimeSeconds must not be greater than maxLifetimeSeconds';
    throw Refusal.ofField(['defaultLifetimeSeconds'], 'max', message);
  }
  const allowedCidrs = checkedCidrs(body.allowedCidrs, (message, index) =>
    Refusal.ofField(['allowedCidrs', String(index)], 'cidr', message),
  );
  return { ...body, allowedCidrs };
}
