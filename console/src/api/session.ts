import { answerOf, client } from './client';
import { ME, noteSignIn } from './me';
import { ApiProblem } from './problem';
import { queries } from './queries';

/** @throws {ApiProblem} 401 for a wrong login or password; 429 after too many. */
export async function beginSession(login: string, password: string): Promise<void> {
  await answerOf(client.POST('/patois/v1/sessions', { body: { login, password } }));
  noteSignIn();
  // What somebody else has read here is not theirs to see.
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME.queryKey[0] });
  await queries.refetchQueries({ queryKey: ME.queryKey });
}

/** Signs out here, and forgets all that was read. */
export async function endSession(): Promise<void> {
  await answerOf(client.DELETE('/patois/v1/sessions/{id}', { params: { path: { id: 'current' } } })).catch(
    (error: unknown) => {
      // It had ended by itself.
      if (!(error instanceof ApiProblem && error.status === 401)) throw error;
    },
  );
  leaveForSignIn();
}

/** What the form says of why one is asked to sign in. */
export type SignInNotice = 'passwordChanged' | 'ended';

/** Forgets all that was read, and shows the form for the next sign-in. */
export function leaveForSignIn(notice?: SignInNotice): void {
  queries.clear();
  window.location.assign(`/console/sign-in${notice === undefined ? '' : `?notice=${notice}`}`);
}
