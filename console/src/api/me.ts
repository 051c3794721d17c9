import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from './client';

export type Me = Schemas['Me'];
export type Role = Me['user']['role'];

export const ME = queryOptions({
  queryKey: ['me'],
  queryFn: () => answerOf(client.GET('/patois/v1/me')),
  staleTime: 60_000,
});

/** Who is signed in. Below the shell alone, which shows its pages to nobody else. */
export function useMe(): Me {
  return useSuspenseQuery(ME).data;
}

/** Whether somebody administers everything, or the own organization. */
export function administers({ user }: Me): boolean {
  return user.role !== 'member';
}

export function administersAll({ user }: Me): boolean {
  return user.role === 'administrator';
}
