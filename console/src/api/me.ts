import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from './client';
import { ApiProblem } from './problem';

export type Me = Schemas['Me'];
export type Role = Me['user']['role'];

/** What the server saw when it sent the page: `none` where the browser has no cookie of a session, and need not ask. */
let hasCookie = document.querySelector<HTMLMetaElement>('meta[name="patois-session"]')?.content !== 'none';

/** From a sign-in on, there is one. */
export function noteSignIn(): void {
  hasCookie = true;
}

export const ME = queryOptions({
  queryKey: ['me'],
  queryFn: () => {
    if (!hasCookie)
      throw new ApiProblem({ title: 'Unauthorized', status: 401, detail: 'Nobody is signed in' });
    return answerOf(client.GET('/patois/v1/me'));
  },
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
