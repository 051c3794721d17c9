import { basic, bearer } from './http.js';
import type { TestServer } from './server.js';

/** A call that any token of a dialect may make which holds the most that the dialect has, as its clients send it. */
const WIRES: Record<
  string,
  { path: string; headers: (value: string, login: string) => Record<string, string> }
> = {
  foreman: { path: '/api/status', headers: (value, login) => basic(login, value) },
  quay: { path: '/api/v1/user/apptoken', headers: bearer },
  panther: { path: '/api-tokens/self', headers: (value) => ({ 'x-api-key': value }) },
  losant: { path: '/me/tokens', headers: bearer },
  yunxiao: { path: '/oapi/v1/platform/user', headers: (value) => ({ 'x-yunxiao-token': value }) },
  patois: { path: '/patois/v1/me', headers: bearer },
};

export const DIALECTS = Object.keys(WIRES);

/** Uses a token on the wire of its dialect; the status of the answer. */
export async function useToken(
  server: TestServer,
  dialect: string,
  value: string,
  login: string,
): Promise<number> {
  const wire = WIRES[dialect];
  if (!wire) throw new Error(`There is no dialect ${dialect}`);
  return (await server.send('GET', wire.path, { headers: wire.headers(value, login) })).status;
}
