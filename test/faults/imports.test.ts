import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bearer, type Received, send } from '../support/http.js';
import { gitea, sha256 } from '../support/imports.js';
import { asAdmin, eventually, Replicas } from '../support/replicas.js';

/** Seconds; what the replicas are started with. */
const BOUND = 2;
const PAGE = 500;
const PAGES = 8;

let replicas: Replicas;
beforeAll(async () => {
  replicas = await Replicas.make({ VERIFICATION_MAX_STALENESS: String(BOUND) });
}, 600_000);
afterAll(() => replicas.close(), 60_000);

function rowOf(row: object, name: string): object {
  return { dialect: 'patois', owner: 'admin', name, scopes: ['patois:tokens.read'], ...row };
}

function post(url: string, source: string, tokens: object[]): Promise<Received> {
  return send(url, 'POST', '/patois/v1/imports', { headers: asAdmin, body: { source, tokens } });
}

async function verify(url: string, value: string): Promise<number> {
  return (await send(url, 'GET', '/verify', { headers: bearer(value) })).status;
}

async function counted(source: string): Promise<{ values: number; tokens: number; events: number }> {
  const [row] = await replicas.query<{ values: number; tokens: number; events: number }>(
    `SELECT (SELECT count(*)::int FROM imported_values WHERE source = $1) AS "values",
       (SELECT count(DISTINCT t.id)::int FROM tokens t JOIN imported_values i ON i.token_uuid = t.id
         WHERE i.source = $1) AS tokens,
       (SELECT count(*)::int FROM audit_events WHERE action = 'token.import' AND after ->> 'source' = $1) AS events`,
    [source],
  );
  return row as { values: number; tokens: number; events: number };
}

test('what one replica imports another accepts within the bound, though it has refused it just now', async () => {
  const [first, second] = [await replicas.start(), await replicas.start()];
  for (const foreign of [sha256(), gitea()]) {
    // The first import of all, and one after others.
    expect(await verify(second.url, foreign.value)).toBe(401);
    expect(await verify(second.url, foreign.value)).toBe(401);
    expect((await post(first.url, 'replicas', [rowOf(foreign.row, foreign.value.slice(0, 4))])).status).toBe(
      200,
    );
    expect(await verify(first.url, foreign.value)).toBe(204);
    await eventually(async () => (await verify(second.url, foreign.value)) === 204, BOUND * 1_000);
  }
  const revoked = sha256();
  const { json } = await post(first.url, 'replicas', [rowOf(revoked.row, 'revoked')]);
  await eventually(async () => (await verify(second.url, revoked.value)) === 204, BOUND * 1_000);
  const path = `/patois/v1/tokens/${json.tokens[0].tokenId}`;
  expect((await send(first.url, 'DELETE', path, { headers: asAdmin })).status).toBe(204);
  await eventually(async () => (await verify(second.url, revoked.value)) === 401, BOUND * 1_000);
}, 120_000);

/** Pages of an import, and values in them. */
function pagesOf(): { pages: object[][]; values: string[] } {
  const all = Array.from({ length: PAGE * PAGES }, () => sha256());
  const pages = Array.from({ length: PAGES }, (_, page) =>
    all.slice(page * PAGE, (page + 1) * PAGE).map(({ row }, index) => rowOf(row, `${page} ${index}`)),
  );
  return { pages, values: all.map(({ value }) => value) };
}

/** Sends all pages, one after the other, as a client does that waits for each answer. */
async function sendAll(url: string, source: string, pages: object[][]): Promise<void> {
  for (const page of pages) {
    if ((await post(url, source, page)).status !== 200) throw new Error('The import is broken off');
  }
}

/** That each page is there as a whole or not at all; how many tokens. */
async function expectWholePages(source: string): Promise<number> {
  const half = await counted(source);
  expect(half.values).toBeLessThan(PAGE * PAGES);
  expect([half.values % PAGE, half.tokens, half.events]).toEqual([0, half.values, half.values]);
  return half.values;
}

/** Sends all pages again, twice. */
async function expectRepeated(url: string, source: string, pages: object[][], there: number): Promise<void> {
  const totals = { imported: 0, existing: 0 };
  for (const page of pages) {
    const { status, json } = await post(url, source, page);
    expect(status).toBe(200);
    totals.imported += json.imported as number;
    totals.existing += json.existing as number;
  }
  expect(totals).toEqual({ imported: PAGE * PAGES - there, existing: there });
  for (const page of pages) expect((await post(url, source, page)).json.existing).toBe(PAGE);
  const all = PAGE * PAGES;
  expect(await counted(source)).toEqual({ values: all, tokens: all, events: all });
}

test('an import whose server is killed is run again, and every token is there once', async () => {
  const { pages, values } = pagesOf();
  const [first, second] = [await replicas.start(), await replicas.start()];
  const sending = sendAll(first.url, 'killed', pages).catch(() => undefined);
  await eventually(async () => (await counted('killed')).values >= PAGE * 2, 60_000);
  await first.replica.stop('SIGKILL');
  await sending;
  // What its connection had sent before the end may still be written.
  await eventually(async () => {
    const busy = `SELECT pid FROM pg_stat_activity WHERE application_name = 'patois-changes' AND state <> 'idle'`;
    return (await replicas.query(busy)).length === 0;
  }, 30_000);
  await expectRepeated(second.url, 'killed', pages, await expectWholePages('killed'));
  expect([await verify(second.url, values[0] ?? ''), await verify(second.url, values.at(-1) ?? '')]).toEqual([
    204, 204,
  ]);
}, 180_000);

test('an import whose database is killed is run again, and every token is there once', async () => {
  const { pages } = pagesOf();
  const { url } = await replicas.start();
  const sending = sendAll(url, 'broken', pages).catch(() => undefined);
  await eventually(async () => (await counted('broken')).values >= PAGE * 2, 60_000);
  await replicas.postgres.killHard();
  await sending;
  await replicas.postgres.start();
  const there = await expectWholePages('broken');
  await eventually(async () => (await send(url, 'GET', '/readyz')).status === 200, 30_000);
  await expectRepeated(url, 'broken', pages, there);
}, 180_000);
