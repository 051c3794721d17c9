import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';

export type User = Schemas['User'];

const TOKENS = 20;
const EVENTS = 20;

/** A user, by uuid or login. */
export const PERSON = (user: string) =>
  queryOptions({
    queryKey: ['users', 'one', user],
    queryFn: () => answerOf(client.GET('/patois/v1/users/{user}', { params: { path: { user } } })),
    staleTime: 60_000,
  });

/** The live tokens of a user, counted by system; null: the user has none. */
export const HOLDINGS = (owner: string) =>
  queryOptions({
    queryKey: ['tokens', 'holdings', owner],
    queryFn: () => holdingsOf(owner),
  });

export async function holdingsOf(
  owner: string,
  filter: { status?: Schemas['Token']['status'] } = {},
): Promise<Schemas['Owner'] | null> {
  const { items } = await answerOf(
    client.GET('/patois/v1/owners', { params: { query: { owner, ...filter } } }),
  );
  return items[0] ?? null;
}

/** The tokens of a user, newest first. */
export const TOKENS_OF = (owner: string, status?: Schemas['Token']['status']) =>
  infiniteQueryOptions({
    queryKey: ['tokens', { owner, status }],
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        client.GET('/patois/v1/tokens', { params: { query: { owner, status, limit: TOKENS, cursor } } }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

/** What a person did, or what was done to the account and its tokens. */
export type ActivityKind = 'actor' | 'owner';

export const ACTIVITY = (user: string, kind: ActivityKind) =>
  infiniteQueryOptions({
    queryKey: ['audit-events', { [kind]: user }],
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        client.GET('/patois/v1/audit-events', { params: { query: { [kind]: user, limit: EVENTS, cursor } } }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
