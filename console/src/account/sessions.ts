import { infiniteQueryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';
import { ApiProblem } from '../api/problem';

export type Session = Schemas['Session'];

/** My sessions, newest first. */
export const SESSIONS = infiniteQueryOptions({
  queryKey: ['sessions'],
  queryFn: ({ pageParam: cursor }) => page(cursor),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
});

function page(cursor: string | undefined) {
  return answerOf(client.GET('/patois/v1/sessions', { params: { query: { cursor } } }));
}

/** Ends a session; one that has ended meanwhile is what was wanted. */
export async function endOne(id: string): Promise<void> {
  try {
    await answerOf(client.DELETE('/patois/v1/sessions/{id}', { params: { path: { id } } }));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
  }
}

/** Ends all but this one: as they are now, not as they were last read. */
export async function endOthers(): Promise<void> {
  const others: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, nextCursor } = await page(cursor);
    others.push(...items.filter(({ isCurrent }) => !isCurrent).map(({ id }) => id));
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
  for (const id of others) await endOne(id);
}
