import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { UsageRecorder } from '../../decisions/usage-recorder.js';
import type { Job } from '../../jobs/job.entity.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Refusal } from '../../refusal.js';
import { lacksScope } from '../../tokens/authority/admission.js';
import { Inventory, type NamedTokenFilter, visibleTo } from '../../tokens/inventory/inventory.js';
import { looksAtUses } from '../../tokens/inventory/token-filter.js';
import { RevocationPreview } from '../../tokens/revocations/revocation-preview.js';
import { Revocations, type RevocationSpec } from '../../tokens/revocations/revocations.js';
import type { Token } from '../../tokens/token.entity.js';
import { TokenService } from '../../tokens/token.service.js';
import { TokenFilter } from '../tokens/tokens.dto.js';
import type { CreateRevocation } from './revocations.dto.js';

/** A sample shows tokens as the list does. */
const SHOWS_TOKENS = 'patois:tokens.read';

/**
 * The end of many tokens: of all for administrators, of their organization's for its administrators, of the own ones for
 * everybody.
 */
@Injectable()
export class RevocationAdministrationService {
  constructor(
    private readonly inventory: Inventory,
    private readonly revocations: Revocations,
    private readonly previews: RevocationPreview,
    private readonly tokens: TokenService,
    private readonly usage: UsageRecorder,
  ) {}

  /** @throws {Refusal} invalid; forbidden for a token that may not read tokens; unavailable where many ask at once. */
  async preview(caller: Principal, body: CreateRevocation): Promise<{ count: number; sample: Token[] }> {
    if (!caller.covers(PATOIS, [SHOWS_TOKENS])) throw lacksScope([SHOWS_TOKENS]);
    const { count, sample: ids } = await this.previews.of(await this.specOf(caller, body), caller);
    const sample = await this.tokens
      .query({ ids })
      .withDeleted()
      .innerJoinAndSelect('token.owner', 'owner')
      .innerJoinAndSelect('owner.organization', 'organization')
      .orderBy('token.createdAt', 'DESC')
      .addOrderBy('token.id', 'DESC')
      .getMany();
    return { count, sample };
  }

  /** @throws {Refusal} invalid; conflict for another number of tokens than expected; as {@link Revocations.start}. */
  async start(caller: Principal, body: CreateRevocation): Promise<Job> {
    const spec = await this.specOf(caller, body);
    const { filter, reach } = spec;
    const place = filter?.organizationId ?? reach.organizationId ?? null;
    return this.revocations.start(spec, caller, {
      reason: body.reason ?? '',
      expectedCount: body.expectedCount,
      scopes: caller.token?.scopes ?? [],
      organizationId: caller.isAdministrator ? place : caller.user.organizationId,
    });
  }

  private async specOf(
    caller: Principal,
    { filter, everything = false }: CreateRevocation,
  ): Promise<RevocationSpec> {
    const written = writtenIn(filter);
    if ((Object.keys(written).length === 0) !== everything) {
      const message = everything
        ? 'everything goes with an empty filter alone'
        : 'An empty filter means every token: it takes everything: true';
      throw Refusal.ofField(['everything'], 'everything', message);
    }
    // What the servers remember of uses is written every two seconds.
    if (looksAtUses(filter)) await this.usage.flush();
    const resolved = await this.inventory.resolve(caller, written);
    return { filter: resolved, reach: visibleTo(caller), written: { ...written } };
  }
}

/**
 * What a filter names, as the core knows it.
 *
 * @throws for a key that would be lost on the way: without it the filter meant more.
 */
function writtenIn(filter: TokenFilter): NamedTokenFilter {
  const named = Object.entries(TokenFilter.named(filter)).filter(([, value]) => value !== undefined);
  const given = Object.values(filter).filter((value) => value !== undefined);
  if (named.length !== given.length) throw new Error('A filter of tokens whose keys are not all known');
  return Object.fromEntries(named);
}
