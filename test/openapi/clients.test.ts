import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { TestServer } from '../support/server.js';

const execute = promisify(execFile);

/** The client programs in clients/: `<dialect>-fetch.ts` uses openapi-fetch, `<dialect>-sdk.ts` a generated SDK. */
const GENERATORS = { fetch: 'openapi-typescript with openapi-fetch', sdk: '@hey-api/openapi-ts' };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await run(['test/openapi/clients/generate.mjs']);
  await run(['node_modules/typescript/bin/tsc', '-p', 'test/openapi/clients/tsconfig.json']);
}, 120_000);
afterAll(() => server.close());

/** @returns the standard output. @throws what a failing program has printed: tsc does so on its standard output. */
async function run(words: string[]): Promise<string> {
  try {
    return (await execute(process.execPath, words)).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${words[0]}: ${stdout}${stderr}`, { cause: error });
  }
}

/** Runs a compiled program against the server, and gives what it reports. */
async function report(program: string, scopes: string[], dialect: string): Promise<unknown> {
  const admin = await server.admin();
  const { value } = await server.issue({ dialect, ownerId: admin.id, scopes });
  const given = { url: server.url, token: value, login: admin.login };
  const built = `.cache/clients/built/test/openapi/clients/${program}.js`;
  return JSON.parse(await run([built, JSON.stringify(given)]));
}

test('every document has a program for each generator', () => {
  const documents = readdirSync('openapi').map((file) => file.replace(/\.json$/, ''));
  const programs = readdirSync('test/openapi/clients').filter((file) => /-(fetch|sdk)\.ts$/.test(file));
  const wanted = documents.flatMap((name) => Object.keys(GENERATORS).map((kind) => `${name}-${kind}.ts`));
  expect(programs.sort()).toEqual(wanted.sort());
});

describe.each(Object.entries(GENERATORS))('a strict client by %s (%s)', (kind) => {
  test('lives a Panther token', async () => {
    const scopes = ['OrganizationAPITokenRead', 'OrganizationAPITokenModify', 'BulkUpload'];
    expect(await report(`panther-${kind}`, scopes, 'panther')).toEqual({
      create: [200, true, null],
      list: [200, expect.arrayContaining(['generated'])],
      get: [200, ['BulkUpload']],
      revoke: 204,
      gone: [404, 'not_found'],
    });
  });

  test('lives a Quay token', async () => {
    expect(await report(`quay-${kind}`, ['user:admin'], 'quay')).toEqual({
      create: [201, true, null],
      list: [200, expect.arrayContaining(['generated'])],
      get: [200, 'generated'],
      revoke: 204,
      gone: [404, 'not_found'],
    });
  });

  test('lives a Losant token', async () => {
    expect(await report(`losant-${kind}`, ['all.User'], 'losant')).toEqual({
      create: [201, true, 'never'],
      list: [200, expect.arrayContaining(['generated'])],
      get: [200, ['all.User.read']],
      patch: [200, 'inactive'],
      revoke: [200, true],
      gone: [404, 'NotFound'],
    });
  });

  test('lives a Yunxiao token', async () => {
    expect(await report(`yunxiao-${kind}`, ['base_user_read_write'], 'yunxiao')).toEqual({
      user: [200, 'admin'],
      create: [200, true, '2099-01-01T00:00:00.000Z'],
      list: [200, true, expect.arrayContaining(['generated'])],
      revoke: 200,
      gone: [404, 'NotFound'],
    });
  });

  test('lives a token of the own API', async () => {
    expect(await report(`patois-${kind}`, ['patois:*'], 'patois')).toEqual({
      create: [201, true, null],
      list: [200, expect.arrayContaining(['generated']), null],
      get: [200, 'active'],
      verify: [200, [true]],
      revoke: 204,
      ended: [200, 'revoked'],
      unknown: [404, 'Not Found'],
      introspect: [200, false],
    });
  });

  test('lives a Foreman token', async () => {
    expect(await report(`foreman-${kind}`, ['foreman:*'], 'foreman')).toEqual({
      create: [201, true, null],
      list: [200, true],
      get: [200, true, false],
      revoke: [200, true],
      ended: [200, false, true],
      unknown: [404, "Resource personal_access_token not found by id '0'"],
    });
  });
});
