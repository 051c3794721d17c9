import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import type { Page } from '../../database/page.js';
import { UsageRecorder } from '../../decisions/usage-recorder.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { type HeldScope, ScopePower } from '../../protocol/scope-power.js';
import { Inventory } from '../../tokens/inventory/inventory.js';
import { type TokenOwner, TokenOwners } from '../../tokens/inventory/token-owners.js';
import { TokenFilter } from '../tokens/tokens.dto.js';
import type { ListOwnersQuery } from './owners.dto.js';

/** Who owns which tokens, for administrators and, of the own organization, organization administrators. */
@Injectable()
export class OwnersService {
  private readonly power: ScopePower;

  constructor(
    private readonly inventory: Inventory,
    private readonly owners: TokenOwners,
    private readonly usage: UsageRecorder,
    registry: DialectRegistry,
  ) {
    this.power = new ScopePower(registry);
  }

  /** @throws {Refusal} forbidden for a member; unavailable, when many ask at once. */
  async list(
    caller: Principal,
    { cursor, limit, users, ...query }: ListOwnersQuery,
  ): Promise<Page<TokenOwner & { mostPowerful: HeldScope | undefined }>> {
    caller.assertAdministers();
    await this.usage.flush();
    const filter = await this.inventory.resolve(caller, TokenFilter.named(query));
    if (!filter) return { rows: [], nextCursor: undefined };
    const { rows, nextCursor } = await this.owners.page(filter, { cursor, limit, users }, caller.user.id);
    return { rows: rows.map((row) => ({ ...row, mostPowerful: this.mostPowerfulOf(row) })), nextCursor };
  }

  private mostPowerfulOf({ tokens }: TokenOwner): HeldScope | undefined {
    return this.power.mostPowerful(
      tokens.flatMap(({ dialect, scopes }) => scopes.map((scope) => ({ dialect, scope }))),
    );
  }
}
