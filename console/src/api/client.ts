import createClient, { type Middleware } from 'openapi-fetch';
import { ApiProblem } from './problem';
import type { components, paths } from '../../generated/schema';

export type Schemas = components['schemas'];

/** A form cannot send it: without this header the server takes no cookie. */
export const CONSOLE_HEADERS = { 'x-requested-with': 'patois-console' };

/** Every call of the API, with the paths, bodies and answers of openapi/patois.json. */
export const client = createClient<paths>({
  baseUrl: '/',
  credentials: 'same-origin',
  headers: CONSOLE_HEADERS,
  // `?a=1&a=2` is not what the API takes for a list, which is `a=1,2`.
  querySerializer: { array: { style: 'form', explode: false } },
});

/** Calls that are made without a session as well. */
const FOR_ANYBODY = new Set(['/patois/v1/me', '/patois/v1/sessions', '/patois/v1/sign-in-providers']);

/** Tells who calls without a session, though one was there: it has ended. */
export function listenForSessionEnd(listener: () => void): () => void {
  const middleware: Middleware = {
    onResponse({ response, schemaPath }) {
      if (response.status === 401 && !FOR_ANYBODY.has(schemaPath)) listener();
    },
  };
  client.use(middleware);
  return () => client.eject(middleware);
}

/**
 * The body of an answer.
 *
 * @throws {ApiProblem} for every other answer, and for none.
 */
export async function answerOf<Body>(
  call: Promise<{ data?: Body; error?: unknown; response: Response }>,
): Promise<Body> {
  const { data, error, response } = await call.catch(() => {
    throw ApiProblem.noAnswer();
  });
  if (response.ok) return data as Body;
  throw ApiProblem.of(response, error);
}
