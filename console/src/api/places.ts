import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from './client';

export type Place = Schemas['Place'];
export type PlaceKind = 'organizations' | 'locations';

const MOST_OF_A_PART = 1000;

function partOf(kind: PlaceKind, query: { cursor?: string; limit?: number }): Promise<Schemas['PlacePage']> {
  return answerOf(client.GET(`/patois/v1/${kind}`, { params: { query } }));
}

/** Organizations or locations as a list in parts, newest first. */
export function placesInParts(kind: PlaceKind) {
  return infiniteQueryOptions({
    queryKey: [kind, 'inParts'],
    queryFn: ({ pageParam }) => partOf(kind, pageParam === undefined ? {} : { cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
}

/** All of them by name, to choose from. */
export function allPlaces(kind: PlaceKind) {
  return queryOptions({
    queryKey: [kind, 'all'],
    queryFn: async () => {
      const places: Place[] = [];
      let cursor: string | undefined;
      do {
        const part = await partOf(kind, {
          limit: MOST_OF_A_PART,
          ...(cursor === undefined ? {} : { cursor }),
        });
        places.push(...part.items);
        cursor = part.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return places.sort((one, other) => one.name.localeCompare(other.name));
    },
    staleTime: 60_000,
  });
}
