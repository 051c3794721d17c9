import type { Schemas } from '../api/client';
import type { Filter } from '../parts/address-filter';

/** How a filter is chosen. */
export type FilterKind = 'text' | 'person' | 'organization' | 'dialect' | 'status' | 'flag' | 'moment';

/** Every filter of the list of tokens, by the names of the API, in the order in which they are offered. */
export const TOKEN_FILTERS = {
  dialect: 'dialect',
  status: 'status',
  live: 'flag',
  owner: 'person',
  organization: 'organization',
  scope: 'text',
  expiresBefore: 'moment',
  expiresAfter: 'moment',
  withoutExpiry: 'flag',
  neverUsed: 'flag',
  unusedSince: 'moment',
  lastUsedBefore: 'moment',
  createdBefore: 'moment',
  createdAfter: 'moment',
  createdBy: 'person',
  withoutCidrs: 'flag',
  allowsAddress: 'text',
  violatesPolicy: 'flag',
  q: 'text',
} as const satisfies Record<string, FilterKind>;

export type TokenFilterName = keyof typeof TOKEN_FILTERS;
export type TokenFilter = Filter<TokenFilterName>;

export const FILTER_NAMES = Object.keys(TOKEN_FILTERS) as TokenFilterName[];
export const STATUSES = ['active', 'inactive', 'expired', 'revoked'] as const;

/** As the API takes it in a query and in a body. What somebody wrote into the address wrongly it refuses, and says why. */
export function apiFilter(filter: TokenFilter): Schemas['TokenFilter'] {
  const entries = FILTER_NAMES.filter((name) => filter[name] !== undefined).map((name) => {
    const value = filter[name];
    const isFlag = TOKEN_FILTERS[name] === 'flag' && (value === 'true' || value === 'false');
    return [name, isFlag ? value === 'true' : value];
  });
  return Object.fromEntries(entries) as Schemas['TokenFilter'];
}

/** Where exactly these tokens are listed. */
export function inventoryLink(filter: TokenFilter): string {
  const query = new URLSearchParams(filter).toString();
  return query === '' ? '/inventory' : `/inventory?${query}`;
}
