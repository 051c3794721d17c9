import type { Order } from '../../database/page.js';
import type { TokenFilter, TokenSort } from './tokens.dto.js';

/** The end of the year 9999 and the start of 1970: beyond every expiry, before every use. */
const NEVER_EXPIRES = 'to_timestamp(253402300799)';
const NEVER_USED = 'to_timestamp(0)';

const EXPRESSIONS = {
  createdAt: { expression: 'token.createdAt', kind: 'time' },
  name: { expression: 'lower(token.name)', kind: 'text' },
  lastUsedAt: { expression: `coalesce(lastUse.usedAt, ${NEVER_USED})`, kind: 'time' },
  expiresAt: { expression: `coalesce(token.expiresAt, ${NEVER_EXPIRES})`, kind: 'time' },
} as const;

/** Whether a filter or an order looks at the last use, which the database has a little later than it happens. */
export function looksAtUse({ lastUsedBefore, neverUsed }: TokenFilter, sort: TokenSort): boolean {
  return lastUsedBefore !== undefined || neverUsed !== undefined || sort.endsWith('lastUsedAt');
}

export function orderOf(sort: TokenSort): Order {
  const isDescending = sort.startsWith('-');
  const field = (isDescending ? sort.slice(1) : sort) as keyof typeof EXPRESSIONS;
  return { name: sort, ...EXPRESSIONS[field], direction: isDescending ? 'DESC' : 'ASC' };
}
