import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { UsageRecorder } from '../../decisions/usage-recorder.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { Inventory } from '../../tokens/inventory/inventory.js';
import { TokenPortions, type TokenPortionRow } from '../../tokens/inventory/token-portions.js';
import type { Cell, ExportedRow } from '../exports/export-format.js';
import type { ExportSpec } from '../exports/exports.js';
import { type ExportTokensQuery, Token, TokenFilter } from './tokens.dto.js';

/** The cells of a line, in their order: the keys of {@link Token}, those of what is within them behind theirs. */
export const COLUMNS = [
  'tokenId',
  'externalId',
  'uuid',
  'numericId',
  'dialect',
  'ownerId',
  'ownerLogin',
  'organizationId',
  'organizationName',
  'name',
  'description',
  'scopes',
  'allowedCidrs',
  'status',
  'expiresAt',
  'createdAt',
  'createdByType',
  'createdById',
  'updatedAt',
  'rotatedAt',
  'previousValidUntil',
  'lastUsedAt',
  'lastUsedAddress',
  'lastUsedUserAgent',
  'revokedAt',
  'revokedByType',
  'revokedById',
  'revokeReason',
];

/** Says what is exported of tokens. */
@Injectable()
export class TokenExport {
  constructor(
    private readonly inventory: Inventory,
    private readonly usage: UsageRecorder,
    private readonly portions: TokenPortions,
    private readonly registry: DialectRegistry,
  ) {}

  /** Of the tokens that the caller sees those that the filter means. */
  async specOf(
    caller: Principal,
    { format, ...filter }: ExportTokensQuery,
  ): Promise<ExportSpec<TokenPortionRow>> {
    // The export shows what is written, and a use is written a little later than it happens.
    await this.usage.flush();
    const resolved = await this.inventory.resolve(caller, TokenFilter.named(filter));
    return {
      action: 'token.export',
      name: 'tokens',
      format,
      filter,
      columns: COLUMNS,
      select: (asOf) => this.portions.select(resolved, asOf),
      show: (row, asOf) => this.show(row, asOf),
    };
  }

  private show(row: TokenPortionRow, asOf: Date): ExportedRow {
    const token = this.portions.tokenOf(row);
    return exportedRow(new Token(token, this.registry.of(token).externalId(token), asOf));
  }
}

/** Lists stand in one cell, with spaces between: neither scopes nor blocks have any. */
function exportedRow(token: Token): ExportedRow {
  const cells: Cell[] = [
    token.tokenId,
    token.externalId,
    token.uuid,
    token.numericId,
    token.dialect,
    token.owner.id,
    token.owner.login,
    token.organization.id,
    token.organization.name,
    token.name,
    token.description,
    token.scopes.join(' '),
    token.allowedCidrs.join(' '),
    token.status,
    timeCell(token.expiresAt),
    timeCell(token.createdAt),
    token.createdBy.type,
    token.createdBy.id,
    timeCell(token.updatedAt),
    timeCell(token.rotatedAt),
    timeCell(token.previousValidUntil),
    timeCell(token.lastUsedAt),
    token.lastUsedAddress,
    token.lastUsedUserAgent,
    timeCell(token.revokedAt),
    token.revokedBy?.type ?? null,
    token.revokedBy?.id ?? null,
    token.revokeReason,
  ];
  return { json: token, cells };
}

function timeCell(time: Date | null): Cell {
  return time && time.toISOString();
}

/** What the document shows. */
export const EXAMPLE = exportedRow({
  tokenId: 'pt-4fK2mZq81LxT',
  externalId: 'pt-4fK2mZq81LxT',
  uuid: '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10',
  numericId: 12,
  dialect: 'patois',
  owner: { id: '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b', login: 'ada' },
  organization: { id: '6f0f3f10-9a3b-4a39-9f57-0c8e8a1e4b8f', name: 'Research' },
  name: 'nightly report',
  description: null,
  scopes: ['patois:tokens.read', 'patois:users.read'],
  allowedCidrs: ['203.0.113.0/24'],
  status: 'active',
  expiresAt: null,
  createdAt: new Date('2031-05-06T07:08:08.000Z'),
  createdBy: { type: 'user', id: '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' },
  updatedAt: null,
  rotatedAt: null,
  previousValidUntil: null,
  lastUsedAt: null,
  lastUsedAddress: null,
  lastUsedUserAgent: null,
  revokedAt: null,
  revokedBy: null,
  revokeReason: null,
});
