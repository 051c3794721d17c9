import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';

export type Token = Schemas['Token'];

const EVENTS = 20;
const ISSUED = 5;

/** Below `tokens`, as all that is read of tokens: a change of any makes it stale. */
export const TOKEN = (tokenId: string) =>
  queryOptions({
    queryKey: ['tokens', 'one', tokenId],
    queryFn: () => answerOf(client.GET('/patois/v1/tokens/{tokenId}', { params: { path: { tokenId } } })),
  });

/** What happened to a token, newest first. */
export const TOKEN_EVENTS = (tokenId: string) =>
  infiniteQueryOptions({
    queryKey: ['tokens', 'events', tokenId],
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        client.GET('/patois/v1/tokens/{tokenId}/audit-events', {
          params: { path: { tokenId }, query: { limit: EVENTS, cursor } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

/** The tokens that a token has issued, newest first. */
export const ISSUED_BY = (tokenId: string) =>
  infiniteQueryOptions({
    queryKey: ['tokens', { createdBy: tokenId }],
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        client.GET('/patois/v1/tokens', { params: { query: { createdBy: tokenId, limit: ISSUED, cursor } } }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
