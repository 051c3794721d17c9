import { queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';

export type Dialect = Schemas['Dialect'];

const HOUR_MS = 3_600_000;

/** The dialects with their scopes, as the server knows them: they change with its version alone. */
export const DIALECTS = queryOptions({
  queryKey: ['dialects'],
  queryFn: async () => (await answerOf(client.GET('/patois/v1/dialects'))).items,
  staleTime: HOUR_MS,
});

/** In the order in which they are shown; one that is not named here comes last. */
const ORDER = ['quay', 'foreman', 'panther', 'losant', 'yunxiao', 'patois'];

export function inOrder(dialects: readonly Dialect[]): Dialect[] {
  const place = ({ name }: Dialect): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...dialects].sort((one, other) => place(one) - place(other));
}
