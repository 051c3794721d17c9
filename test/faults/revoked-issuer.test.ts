import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

/** Connections that run side by side: what issues a token, and what ends the issuer at the same moment. */

let server: TestServer;
let owner: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser();
});
afterAll(() => server.close());

async function issuer(): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
}

function create(value: string): Promise<Received> {
  const body = { dialect: 'quay', owner: owner.user.login, name: 'a child' };
  return server.send('POST', '/patois/v1/tokens', { headers: bearer(value), body });
}

function childrenOf(token: Token): Promise<Token[]> {
  const createdBy = { type: 'token', id: token.id } as const;
  return server.app.dataSource.manager.findBy(Token, { createdBy });
}

test('of 150 tokens that are being issued none is made after the revocation of the one that issues them', async () => {
  const { token, value } = await issuer();
  expect((await create(value)).status).toBe(201);
  const creates = Array.from({ length: 150 }, () => create(value));
  await creates[0];
  const path = `/patois/v1/tokens/${token.tokenId}`;
  const revoked = await server.send('DELETE', path, { headers: owner.byPassword });
  expect(revoked.status).toBe(204);
  const answers = await Promise.all(creates);
  const children = await childrenOf(token);
  const { revokedAt } = await server.app.dataSource.manager.findOneByOrFail(Token, { id: token.id });
  expect(children.filter(({ createdAt }) => revokedAt === null || createdAt > revokedAt)).toEqual([]);
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(children.length - 1);
  expect(statuses.filter((status) => status !== 201 && status !== 401)).toEqual([]);
});

test('a family that grows while it is ended is ended whole', async () => {
  const { token, value } = await issuer();
  const creates = Array.from({ length: 60 }, async () => {
    const body = { dialect: 'patois', owner: owner.user.login, name: 'a child', scopes: ['*'] };
    const child = await server.send('POST', '/patois/v1/tokens', { headers: bearer(value), body });
    return child.status === 201 ? create(child.json.token) : child;
  });
  await creates[0];
  const path = `/patois/v1/tokens/${token.tokenId}?descendants=true`;
  const ending = async (): Promise<number> =>
    (await server.send('DELETE', path, { headers: owner.byPassword })).status;
  let status = await ending();
  // It grew at every reading: the caller is told, and asks again.
  while (status === 409) status = await ending();
  expect(status).toBe(204);
  await Promise.all(creates);
  const children = await childrenOf(token);
  const grandchildren = (await Promise.all(children.map(childrenOf))).flat();
  expect([...children, ...grandchildren].filter((one) => !one.isRevoked())).toEqual([]);
  expect(grandchildren.length).toBeGreaterThan(0);
});

test('two tokens that change each other at the same moment never wait for each other', async () => {
  const [one, other] = [await issuer(), await issuer()];
  const call = (by: { value: string }, on: { token: Token }, name: string): Promise<Received> =>
    server.send('PATCH', `/patois/v1/tokens/${on.token.tokenId}`, {
      headers: bearer(by.value),
      body: { name },
    });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      index % 2 ? call(one, other, `a${index}`) : call(other, one, `b${index}`),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});
