import { answerOf, client, type Schemas } from './client';
import { ME } from './me';
import { queries } from './queries';

export type SignInProvider = Schemas['SignInProvider'];

/** @throws {ApiProblem} 401 for a wrong login or password; 429 after too many. */
export async function beginSession(login: string, password: string): Promise<void> {
  await answerOf(client.POST('/patois/v1/sessions', { body: { login, password } }));
  queries.clear();
  await queries.fetchQuery(ME);
}

/** Signs out here, and forgets all that was read. */
export async function endSession(): Promise<void> {
  await answerOf(client.DELETE('/patois/v1/sessions/{id}', { params: { path: { id: 'current' } } }));
  queries.clear();
  window.location.assign('/console/sign-in');
}
