import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';
import { queries } from '../api/queries';

export type Person = Schemas['User'];
export type TokenOwner = Schemas['Owner'];

/** What the list is narrowed to, as in its address. */
export interface PeopleFilter {
  q?: string;
  /** Name or uuid. */
  organization?: string;
  disabled?: boolean;
}

const PART = 50;

/** People, newest first, in parts. */
export function people(filter: PeopleFilter) {
  return infiniteQueryOptions({
    queryKey: ['people', filter],
    queryFn: ({ pageParam }) => {
      const query = { ...filter, limit: PART, ...(pageParam === undefined ? {} : { cursor: pageParam }) };
      return answerOf(client.GET('/patois/v1/users', { params: { query } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
}

/** The live tokens of some people, by the uuids of those who own any. */
export function tokensOf(ids: string[]) {
  return queryOptions({
    queryKey: ['owners', { users: ids }],
    queryFn: async () => {
      const query = { users: ids, limit: ids.length };
      const { items } = await answerOf(client.GET('/patois/v1/owners', { params: { query } }));
      return new Map(items.map((owner) => [owner.id, owner]));
    },
  });
}

/** What is shown anew once somebody was made, changed or deleted. */
export function forgetPeople(): Promise<void[]> {
  return Promise.all(
    ['people', 'users', 'owners', 'tokens', 'me'].map((room) =>
      queries.invalidateQueries({ queryKey: [room] }),
    ),
  );
}
