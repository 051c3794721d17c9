import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Received } from '../support/http.js';
import { bearer } from '../support/http.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let accessToken: string;

beforeAll(async () => {
  server = await TestServer.start();
  const { user } = await server.makeUser();
  accessToken = (await server.issue({ dialect: 'quay', ownerId: user.id, scopes: ['user:admin'] })).value;
});
afterAll(() => server.close());

interface AppToken {
  uuid: string;
  title: string;
  token_code?: string;
}

/** What a run of the module reports. */
interface Outcome {
  changed: boolean;
  token?: AppToken;
}

/**
 * Asks as the Ansible module `herve4m.quay.quay_docker_token` does: every request, GET and DELETE too, has a JSON content
 * type and a body, `{}` where there is nothing to say. Statuses it does not expect end the play.
 */
async function ask(
  method: string,
  endpoint: string,
  expected: number[],
  body: object = {},
): Promise<Received> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...bearer(accessToken),
  };
  const answer = await server.send(method, `/api/v1/${endpoint}`, { headers, body: JSON.stringify(body) });
  if (expected.includes(answer.status)) return answer;
  const { detail, error_message: message, error_type: type, title } = answer.json;
  const fragments = [title, type === title ? '' : type, message, detail === message ? '' : detail];
  throw new Error(`${answer.status}: ${fragments.filter(Boolean).join(': ')}`);
}

/** One run of the module: list, match the title, then create or get one, or delete each match. */
async function run(name: string, state: 'present' | 'absent' = 'present'): Promise<Outcome> {
  const { json } = await ask('GET', 'user/apptoken', [200]);
  const matches = (json.tokens as AppToken[]).filter(({ title }) => title === name);
  if (state === 'absent') {
    for (const { uuid } of matches) await ask('DELETE', `user/apptoken/${uuid}`, [202, 204]);
    return { changed: matches.length > 0 };
  }
  const [first] = matches;
  if (first) {
    const got = await ask('GET', `user/apptoken/${first.uuid}`, [200]);
    return { changed: false, token: got.json.token };
  }
  const created = await ask('POST', 'user/apptoken', [200, 201, 204], { title: name });
  return { changed: true, token: created.json.token };
}

describe('the module quay_docker_token', () => {
  test('makes a token once, finds it again, and ends it', async () => {
    const made = await run('pull');
    expect(made).toMatchObject({ changed: true, token: { title: 'pull' } });
    expect(
      (await server.send('GET', '/api/v1/user/apptoken', { headers: bearer(made.token?.token_code ?? '') }))
        .status,
    ).toBe(200);
    const found = await run('pull');
    expect(found).toMatchObject({ changed: false, token: { uuid: made.token?.uuid } });
    expect(await run('pull', 'absent')).toEqual({ changed: true });
    expect(await run('pull', 'absent')).toEqual({ changed: false });
    expect((await run('pull')).changed).toBe(true);
  });

  test('ends every token of the title, and no other', async () => {
    for (let count = 0; count < 3; count += 1) await ask('POST', 'user/apptoken', [201], { title: 'twin' });
    await ask('POST', 'user/apptoken', [201], { title: 'twins' });
    expect(await run('twin', 'absent')).toEqual({ changed: true });
    const { json } = await ask('GET', 'user/apptoken', [200]);
    const titles = (json.tokens as AppToken[]).map(({ title }) => title);
    expect(titles).not.toContain('twin');
    expect(titles).toContain('twins');
  });

  test('reports an error in one readable line', async () => {
    await expect(run('x'.repeat(256))).rejects.toThrow(
      "400: invalid_request: 'title' is longer than 255 characters",
    );
  });
});
