import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { readFile } from 'node:fs/promises';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import type { TokenSpec } from '../../src/tokens/token.service.js';

const EXPORT = '/patois/v1/tokens/export';

let server: TestServer;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let member: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const organizationId = (await server.organization('Research')).id;
  const elsewhere = (await server.organization('Elsewhere')).id;
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator', organizationId });
  member = await server.makeUser({ login: 'member', organizationId });
  stranger = await server.makeUser({ login: 'stranger', organizationId: elsewhere });
  for (const dialect of ['foreman', 'yunxiao', 'panther', 'quay', 'losant', 'patois']) {
    await issueTo(member, { dialect, scopes: [`${dialect}:a`, `${dialect}:b`] });
    await issueTo(stranger, { dialect });
  }
  await issueTo(head, { dialect: 'patois', allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'] });
  await issueTo(member, { dialect: 'patois', expiresAt: new Date(Date.now() + 86_400_000) });
  const { token } = await issueTo(member, { dialect: 'quay' });
  await server.revoke(token);
});
afterAll(() => server.close());

function issueTo({ user }: TestUser, spec: Partial<TokenSpec> & { dialect: string }) {
  return server.issue({ ...spec, ownerId: user.id });
}

function exported(query: string, headers = server.asAdmin): Promise<Received> {
  return server.send('GET', `${EXPORT}?${query}`, { headers });
}

async function listed(query: string, headers = server.asAdmin): Promise<Received['json'][]> {
  return (await server.send('GET', `/patois/v1/tokens?limit=1000&${query}`, { headers })).json.items;
}

/** The tokens of an export in NDJSON; fails the test for one that is not whole. */
function tokensOf({ status, text }: Received): Received['json'][] {
  expect(status).toBe(200);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const end = lines.pop();
  expect(end).toEqual({ end: { rows: lines.length, asOf: expect.stringMatching(/Z$/) } });
  return lines;
}

/** The records of an export in CSV; fails the test for one that is not whole. */
function recordsOf({ status, text }: Received): Record<string, string>[] {
  expect(status).toBe(200);
  expect(text).toMatch(/^tokenId,externalId,.*,revokeReason\r\n/);
  const records = parse(text, { columns: true }) as Record<string, string>[];
  const end = records.pop();
  expect(end).toMatchObject({ tokenId: '#end', externalId: String(records.length), dialect: '' });
  return records;
}

describe('GET /patois/v1/tokens/export', () => {
  test.each([
    '',
    'owner=member',
    'organization=Elsewhere',
    'dialect=quay',
    'status=revoked',
    'scope=quay:a',
    'q=TOKEN',
    'withoutExpiry=false',
    'withoutCidrs=false',
    'neverUsed=true',
    'createdBefore=2020-01-01T00:00:00Z',
    'owner=nobody',
    'allowsAddress=203.0.113.7&dialect=patois',
  ])('has the tokens that the list has: %s', async (query) => {
    expect(tokensOf(await exported(query))).toEqual(await listed(query));
  });

  test('has the same tokens as comma-separated values', async () => {
    const answer = await exported('format=csv');
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': expect.stringMatching(
        /^attachment; filename="patois-tokens-\d{4}-\d\d-\d\dT\d{6}Z\.csv"$/,
      ),
      'cache-control': 'no-store',
    });
    const flat = (await listed('')).map((token) => ({
      ...Object.fromEntries(
        Object.entries<string | number | null>(token).map(([key, value]) => [
          key,
          value === null ? '' : String(value),
        ]),
      ),
      owner: undefined,
      ownerId: token.owner.id,
      ownerLogin: token.owner.login,
      organization: undefined,
      organizationId: token.organization.id,
      organizationName: token.organization.name,
      scopes: token.scopes.join(' '),
      allowedCidrs: token.allowedCidrs.join(' '),
      createdBy: undefined,
      createdByType: token.createdBy.type,
      createdById: token.createdBy.id ?? '',
      revokedBy: undefined,
      revokedByType: token.revokedBy?.type ?? '',
      revokedById: token.revokedBy?.id ?? '',
    }));
    expect(flat.length).toBeGreaterThan(10);
    expect(recordsOf(answer)).toEqual(flat);
  });

  test('says by its media type and file name that it is lines of JSON, unless told otherwise', async () => {
    expect((await exported('owner=nobody')).headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-disposition': expect.stringMatching(/\.ndjson"$/),
    });
  });

  test('makes cells harmless that a spreadsheet would run, and leaves all others as they are', async () => {
    const owner = await server.makeUser();
    const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '＝1+1'];
    const plain = [
      'a=1',
      "'quoted'",
      'say "hi", twice',
      'two\nlines',
      'two\r\nlines',
      'ünïcödé 日本 🙂',
      '#end',
      ' x ',
    ];
    for (const name of [...formulas, ...plain]) await issueTo(owner, { dialect: 'patois', name });
    const query = `owner=${owner.user.login}`;
    const names = recordsOf(await exported(`format=csv&${query}`)).map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set([...formulas.map((name) => `'${name}`), ...plain]));
    const exact = tokensOf(await exported(query)).map(({ name }) => name);
    expect(new Set(exact)).toEqual(new Set([...formulas, ...plain]));
  });

  test('ends every line of values with CR and LF, and has as many cells in each', async () => {
    const { text } = await exported('format=csv&owner=member');
    const lines = text.split('\r\n');
    expect(lines.pop()).toBe('');
    expect(lines.join('')).not.toMatch(/[\r\n]/);
    expect(new Set(lines.map((line) => line.split(',').length))).toEqual(new Set([28]));
  });

  test('shows neither a secret nor a digest', async () => {
    const { value } = await issueTo(member, { dialect: 'patois' });
    const both = [await exported(''), await exported('format=csv')].map(({ text }) => text).join();
    expect(both).toContain(value.slice(0, 15));
    expect(both).not.toContain(value.slice(16));
    expect(both).not.toMatch(/digest/i);
  });

  test('shows a last use that is not written yet', async () => {
    const { token, value } = await issueTo(member, { dialect: 'patois', scopes: ['patois:tokens.read'] });
    await server.send('GET', '/patois/v1/me', { headers: bearer(value) });
    const found = tokensOf(await exported(`q=${token.tokenId}`));
    expect(found).toEqual([expect.objectContaining({ lastUsedAddress: '127.0.0.1' })]);
  });

  test('shows members their own tokens, and organization administrators those of the organization', async () => {
    const own = tokensOf(await exported('', member.byPassword));
    expect(own).toEqual(await listed('', member.byPassword));
    expect(new Set(own.map(({ owner }) => owner.login))).toEqual(new Set(['member']));
    const theirs = tokensOf(await exported('', head.byPassword));
    expect(new Set(theirs.map(({ organization }) => organization.name))).toEqual(new Set(['Research']));
    expect(theirs).toHaveLength((await listed('organization=Research')).length);
    expect(tokensOf(await exported('owner=stranger', head.byPassword))).toEqual([]);
    expect(tokensOf(await exported('organization=Elsewhere', head.byPassword))).toEqual([]);
  });

  test('is an audit event that says what was asked for', async () => {
    const { headers } = await exported('format=csv&owner=member&createdBefore=2030-01-01T00:00:00Z');
    const trail = await server.send('GET', '/patois/v1/audit-events?action=token.export&limit=1', {
      headers: server.asAdmin,
    });
    expect(trail.json.items).toEqual([
      expect.objectContaining({
        actor: { type: 'user', id: (await server.admin()).id },
        object: { type: 'token', id: null },
        before: null,
        after: { format: 'csv', filter: { owner: 'member', createdBefore: '2030-01-01T00:00:00.000Z' } },
        requestId: headers['x-request-id'],
      }),
    ]);
  });

  test('answers HEAD with the headers alone', async () => {
    const answer = await server.send('HEAD', EXPORT, { headers: member.byPassword });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers['content-type']).toBe('application/x-ndjson');
  });

  test('refuses bad input', async () => {
    expectProblem(await exported('format=xlsx'), 400, '/format');
    expectProblem(await exported('status=lost'), 400, '/status');
    expectProblem(await exported('sort=name'), 400, '/sort');
  });

  test('refuses who has no credential, or a token without the scope', async () => {
    expectProblem(await exported('', {}), 401);
    expectProblem(await exported('', basic('member', 'wrong')), 401);
    const weak = await issueTo(member, { dialect: 'patois', scopes: ['patois:users.read'] });
    expectProblem(await exported('', bearer(weak.value)), 403);
    const able = await issueTo(member, { dialect: 'patois', scopes: ['patois:tokens.read'] });
    expect(tokensOf(await exported('', bearer(able.value)))).toHaveLength(
      (await listed('owner=member')).length,
    );
  });
});

test('the documentation names every column', async () => {
  const text = await readFile('docs/export.md', 'utf8');
  const [columns = ''] = (await exported('format=csv&owner=nobody')).text.split('\r\n');
  expect(columns.split(',').filter((column) => !text.includes(`\`${column}\``))).toEqual([]);
});
