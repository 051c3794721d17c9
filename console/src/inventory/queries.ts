import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';
import { apiFilter, type TokenFilter } from './token-filters';

export type Token = Schemas['Token'];

/** What the API sorts by; each also downwards. */
export const SORT_FIELDS = ['name', 'createdAt', 'lastUsedAt', 'expiresAt'] as const;
export type SortField = (typeof SORT_FIELDS)[number];
export type Sort = SortField | `-${SortField}`;
export const FIRST_SORT: Sort = '-createdAt';

/** The first rows come soon; then so many at once that nobody waits who scrolls fast. */
const FIRST_PART = 200;
const FURTHER_PART = 500;
/** For so long a list is as it was for whoever comes back to it; then it is read from its beginning. */
const KEPT_MS = 60_000;

/** Every list of tokens, whatever it is narrowed to. */
export const TOKEN_LISTS = ['tokens', 'list'] as const;
const SUMMARIES = ['tokens', 'summary'] as const;

/** Tokens in parts. It is not read again by itself: that would be all its parts, one after the other. */
export function tokenList(filter: TokenFilter, sort: Sort) {
  return infiniteQueryOptions({
    queryKey: [...TOKEN_LISTS, filter, sort],
    queryFn: ({ pageParam, signal }) => {
      const part = pageParam === undefined ? {} : { cursor: pageParam };
      const limit = pageParam === undefined ? FIRST_PART : FURTHER_PART;
      const query = { ...apiFilter(filter), ...part, sort, limit };
      return answerOf(client.GET('/patois/v1/tokens', { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: KEPT_MS,
    refetchOnReconnect: false,
  });
}

/** How many tokens there are, of all that a filter means. */
export function tokenSummary(filter: TokenFilter) {
  return queryOptions({
    queryKey: [...SUMMARIES, filter],
    queryFn: ({ signal }) =>
      answerOf(client.GET('/patois/v1/tokens/summary', { params: { query: apiFilter(filter) }, signal })),
  });
}

/** How many active tokens expire on which day. */
export function tokenExpirations(filter: TokenFilter, days: number) {
  return queryOptions({
    queryKey: [...SUMMARIES, 'expirations', days, filter],
    queryFn: ({ signal }) => {
      const query = { ...apiFilter(filter), days };
      return answerOf(client.GET('/patois/v1/tokens/summary/expirations', { params: { query }, signal }));
    },
  });
}
