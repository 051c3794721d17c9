import type { SelectQueryBuilder } from 'typeorm';
import type { Order } from '../../database/page.js';
import { parseCallerAddress } from '../../network/addresses.js';
import type { Token, TokenStatus } from '../../tokens/token.entity.js';
import type { TokenFilter, TokenSort } from './tokens.dto.js';

/** As {@link Token.status} says it, in SQL: the first that holds of revoked, expired, inactive, active. */
const STATUS: Record<TokenStatus, string> = {
  revoked: 'token.revokedAt IS NOT NULL',
  expired: 'token.revokedAt IS NULL AND token.expiresAt <= :now',
  inactive:
    'token.revokedAt IS NULL AND (token.expiresAt IS NULL OR token.expiresAt > :now) AND token.inactive',
  active:
    'token.revokedAt IS NULL AND (token.expiresAt IS NULL OR token.expiresAt > :now) AND NOT token.inactive',
};

/** The end of the year 9999 and the start of 1970: beyond every expiry, before every use. */
const NEVER_EXPIRES = 'to_timestamp(253402300799)';
const NEVER_USED = 'to_timestamp(0)';

const EXPRESSIONS = {
  createdAt: { expression: 'token.createdAt', kind: 'time' },
  name: { expression: 'lower(token.name)', kind: 'text' },
  lastUsedAt: { expression: `coalesce(lastUse.usedAt, ${NEVER_USED})`, kind: 'time' },
  expiresAt: { expression: `coalesce(token.expiresAt, ${NEVER_EXPIRES})`, kind: 'time' },
} as const;

/** Narrows a query over tokens to those that the filter means, but for its `owner` and `organization`. */
export function narrow(query: SelectQueryBuilder<Token>, filter: TokenFilter): void {
  const { dialect, status, scope, q, createdBefore, lastUsedBefore, neverUsed, expiresBefore } = filter;
  if (dialect !== undefined) query.andWhere('token.dialect = :dialect', { dialect });
  if (status !== undefined) query.andWhere(`(${STATUS[status]})`, { now: new Date() });
  if (scope !== undefined) query.andWhere(':scope = ANY(token.scopes)', { scope });
  if (q !== undefined) {
    const text = 'concat_ws(chr(10), token.name, token.description, token.tokenId)';
    query.andWhere(`position(lower(:q) in lower(${text})) > 0`, { q });
  }
  if (createdBefore) query.andWhere('token.createdAt < :createdBefore', { createdBefore });
  if (lastUsedBefore) query.andWhere('lastUse.usedAt < :lastUsedBefore', { lastUsedBefore });
  if (neverUsed !== undefined) query.andWhere(`lastUse.usedAt IS ${neverUsed ? '' : 'NOT '}NULL`);
  if (expiresBefore) query.andWhere('token.expiresAt < :expiresBefore', { expiresBefore });
  const address = filter.allowsAddress && parseCallerAddress(filter.allowsAddress);
  if (address) query.andWhere(`(${ALLOWS_ADDRESS})`, { address });
}

const ALLOWS_ADDRESS = `cardinality(token.allowedCidrs) = 0 OR EXISTS
  (SELECT 1 FROM unnest(token.allowedCidrs) AS block WHERE CAST(:address AS inet) <<= CAST(block AS inet))`;

/** Whether a filter or an order looks at the last use, which the database has a little later than it happens. */
export function looksAtUse({ lastUsedBefore, neverUsed }: TokenFilter, sort: TokenSort): boolean {
  return lastUsedBefore !== undefined || neverUsed !== undefined || sort.endsWith('lastUsedAt');
}

export function orderOf(sort: TokenSort): Order {
  const isDescending = sort.startsWith('-');
  const field = (isDescending ? sort.slice(1) : sort) as keyof typeof EXPRESSIONS;
  return { name: sort, ...EXPRESSIONS[field], direction: isDescending ? 'DESC' : 'ASC' };
}
