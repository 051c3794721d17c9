import { FORM } from '../../src/http/body/form.js';
import type { TestServer } from './server.js';

/** The JWT that a token is exchanged for. */
export async function exchange(
  server: TestServer,
  value: string,
  form: Record<string, string>,
): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: value,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    ...form,
  }).toString();
  const { json } = await server.send('POST', '/oauth2/token', { headers: { 'content-type': FORM }, body });
  return json.access_token;
}
