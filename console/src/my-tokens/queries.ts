import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';

export type Token = Schemas['Token'];
export type TokenWithSecret = Schemas['TokenWithSecret'];
export type Policy = Schemas['Policy'];

/** Which of my tokens are listed: those that work, or can work again, or all that ever were. */
export const SHOWN = ['active', 'all'] as const;
export type Shown = (typeof SHOWN)[number];

const TOKENS_A_PART = 50;

/** Below `tokens`, as all that is read of tokens: a change of any makes it stale. */
export const MY_TOKENS = (owner: string, shown: Shown) =>
  infiniteQueryOptions({
    queryKey: ['tokens', { owner, shown }],
    queryFn: ({ pageParam: cursor }) => {
      const query = { owner, cursor, limit: TOKENS_A_PART, ...(shown === 'active' ? { live: true } : {}) };
      return answerOf(client.GET('/patois/v1/tokens', { params: { query } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

/** What my organization wants of my tokens. */
export const MY_POLICY = queryOptions({
  queryKey: ['policy', 'mine'],
  queryFn: () => answerOf(client.GET('/patois/v1/me/policy')),
});
