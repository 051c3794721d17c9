import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Database } from '../../src/database/database.js';
import { Token } from '../../src/tokens/token.entity.js';
import { type Received } from '../support/http.js';
import { databaseAt, type Reached } from '../support/pooler.js';
import { PrivatePostgres } from '../support/postgres.js';
import { TestServer, type TestUser } from '../support/server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const isChange = (application: string): boolean => application === 'patois-changes';

describe('A call with an Idempotency-Key, where the database goes away', () => {
  let postgres: PrivatePostgres;
  let proxy: TcpProxy;
  /** The first talks to the database, the second through the proxy. */
  let first: TestServer;
  let second: TestServer;
  let owner: TestUser;

  beforeAll(async () => {
    postgres = await PrivatePostgres.make();
    proxy = await TcpProxy.before(postgres.reached);
    const tokenKeys = [{ name: 'k1', secret: randomBytes(32) }];
    const open = (reached: Reached) => async (): Promise<Database> => databaseAt(reached);
    first = await TestServer.start({ tokenKeys }, open(postgres.reached));
    second = await TestServer.start({ tokenKeys }, open(proxy.reached));
    owner = await first.makeUser();
  }, 120_000);
  afterAll(async () => {
    await second.close();
    await first.close();
    await proxy.close();
    await postgres.remove();
  }, 60_000);

  function call(server: TestServer, key: string, name: string): Promise<Received> {
    return server.send('POST', '/patois/v1/tokens', {
      headers: { ...owner.byPassword, 'idempotency-key': key },
      body: { dialect: 'patois', owner: owner.user.login, name, scopes: ['patois:tokens.read'] },
    });
  }

  const made = (name: string): Promise<number> => first.app.dataSource.manager.countBy(Token, { name });

  test('after the commit and before its answer: the other replica gives the outcome that nobody heard', async () => {
    const [key, name] = [randomUUID(), 'committed'];
    let isCommitted = false;
    proxy.decide((application, chunk) => {
      if (!isChange(application)) return 'passed';
      if (!isCommitted && chunk.includes('COMMIT\0')) {
        isCommitted = true;
        return 'passed';
      }
      // What the server says to it is lost.
      return isCommitted ? 'swallowed' : 'passed';
    });
    const lost = call(second, key, name);
    for (;;) {
      if ((await made(name)) === 1) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    proxy.cut(isChange);
    expect((await lost).status).toBe(503);
    proxy.decide(() => 'passed');
    const answer = await call(first, key, name);
    expect([answer.status, answer.headers['idempotency-replayed'], await made(name)]).toEqual([
      201,
      'true',
      1,
    ]);
    const { status } = await first.send('GET', '/verify', {
      headers: { authorization: `Bearer ${answer.json.token}` },
    });
    expect(status).toBe(204);
    expect((await call(second, key, name)).text).toBe(answer.text);
  });

  test('before the commit: nothing was made, and the repetition makes it', async () => {
    const [key, name] = [randomUUID(), 'not committed'];
    proxy.decide((application, chunk) =>
      isChange(application) && chunk.includes('COMMIT\0') ? 'swallowed' : 'passed',
    );
    const lost = call(second, key, name);
    await new Promise((resolve) => setTimeout(resolve, 300));
    proxy.cut(isChange);
    expect([(await lost).status, await made(name)]).toEqual([503, 0]);
    proxy.decide(() => 'passed');
    const answer = await call(second, key, name);
    expect([answer.status, answer.headers['idempotency-replayed'], await made(name)]).toEqual([
      201,
      undefined,
      1,
    ]);
  });

  test('while the first is under way on another replica, it is told so', async () => {
    const [key, name] = [randomUUID(), 'under way'];
    let hold: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (hold = resolve));
    proxy.decide((application, chunk) => {
      if (!isChange(application) || !chunk.includes('COMMIT\0')) return 'passed';
      hold?.();
      return { delayedMs: 500 };
    });
    const slow = call(second, key, name);
    await held;
    const meanwhile = await call(first, key, name);
    expect([meanwhile.status, meanwhile.json.detail]).toEqual([
      409,
      'A request with this Idempotency-Key is under way: try again in a moment',
    ]);
    const answer = await slow;
    proxy.decide(() => 'passed');
    expect([answer.status, (await call(first, key, name)).text]).toEqual([201, answer.text]);
    expect(await made(name)).toBe(1);
  });

  test('50 at once through two replicas make one', async () => {
    const [key, name] = [randomUUID(), 'fifty'];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => call(index % 2 ? first : second, key, name)),
    );
    const good = answers.filter(({ status }) => status === 201);
    expect([new Set(good.map(({ text }) => text)).size, await made(name)]).toEqual([1, 1]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
  });
});
