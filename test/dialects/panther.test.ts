import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { decodeId, encodeId } from '../../src/dialects/panther/panther.dialect.js';
import { PERMISSIONS } from '../../src/dialects/panther/panther.scopes.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { basic } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const READ = 'OrganizationAPITokenRead';
const MODIFY = 'OrganizationAPITokenModify';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

let server: TestServer;
/** An administrator of the organization `Default`. */
let owner: TestUser;
/** An administrator of another organization. */
let stranger: TestUser;
let member: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser({ role: 'organizationAdministrator' });
  member = await server.makeUser();
  const elsewhere = await server.organization('Elsewhere');
  stranger = await server.makeUser({ role: 'organizationAdministrator', organizationId: elsewhere.id });
});
afterAll(() => server.close());

interface Key {
  id: string;
  token: Token;
  value: string;
  headers: Record<string, string>;
}

async function makeKey(scopes: string[], user = owner, allowedCidrs: string[] = []): Promise<Key> {
  const { token, value } = await server.issue({
    dialect: 'panther',
    ownerId: user.user.id,
    scopes,
    allowedCidrs,
  });
  return { id: encodeId(token.id), token, value, headers: { 'x-api-key': value } };
}

function modify(changes: object = {}): object {
  return { name: 'ci', permissions: ['BulkUpload'], ...changes };
}

describe('POST /api-tokens', () => {
  test('answers 200 with the whole token and its value', async () => {
    const body = {
      name: '  ci  ',
      permissions: ['BulkUpload', READ],
      allowedCIDRBlocks: ['10.0.0.0/8', '2001:db8::/32'],
    };
    const { status, json } = await server.send('POST', '/api-tokens', { headers: owner.byPassword, body });
    expect(status).toBe(200);
    expect(json).toEqual({
      id: expect.stringMatching(/^po_[0-9A-Za-z]+$/),
      name: 'ci',
      permissions: ['BulkUpload', READ],
      createdAt: expect.stringMatching(RFC_3339),
      allowedCIDRBlocks: ['10.0.0.0/8', '2001:db8::/32'],
      createdBy: { id: owner.user.id, type: 'user' },
      expiresAt: null,
      value: expect.stringMatching(/^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/),
    });
  });

  test('names the calling token as its maker', async () => {
    const key = await makeKey([MODIFY, 'BulkUpload']);
    const { json } = await server.send('POST', '/api-tokens', { headers: key.headers, body: modify() });
    expect(json.createdBy).toEqual({ id: key.id, type: 'api-token' });
  });

  test('makes a token that works at once, under both mounts', async () => {
    const body = modify({ permissions: [READ] });
    const { json } = await server.send('POST', '/v1/api-tokens', { headers: owner.byPassword, body });
    for (const mount of ['/api-tokens', '/v1/api-tokens', '/api-tokens/', '//api-tokens']) {
      expect((await server.send('GET', mount, { headers: { 'x-api-key': json.value } })).status).toBe(200);
    }
  });

  test('takes every one of the 39 permissions', async () => {
    const body = modify({ permissions: PERMISSIONS });
    const { status, json } = await server.send('POST', '/api-tokens', { headers: owner.byPassword, body });
    expect(status).toBe(200);
    expect(json.permissions).toHaveLength(39);
  });

  test('collapses CIDR blocks that say the same', async () => {
    const body = modify({
      allowedCIDRBlocks: ['10.0.0.0/8', '2001:db8::/32', '2001:0DB8::/32', '10.0.0.0/8'],
    });
    const { json } = await server.send('POST', '/api-tokens', { headers: owner.byPassword, body });
    expect(json.allowedCIDRBlocks).toEqual(['10.0.0.0/8', '2001:db8::/32']);
  });

  test.each([
    ['no name', { permissions: ['BulkUpload'] }, 'name'],
    ['a blank name', modify({ name: '   ' }), 'name'],
    ['a name of 256', modify({ name: 'x'.repeat(256) }), 'name'],
    ['a number as name', modify({ name: 5 }), 'name'],
    ['null as name', modify({ name: null }), 'name'],
    ['no permissions', { name: 'x' }, 'permissions'],
    ['an empty list of permissions', modify({ permissions: [] }), 'permissions'],
    ['an unknown permission', modify({ permissions: ['Fly'] }), 'permissions'],
    ['a permission twice', modify({ permissions: [READ, READ] }), 'permissions'],
    ['permissions that are no list', modify({ permissions: READ }), 'permissions'],
    ['null as CIDR blocks', modify({ allowedCIDRBlocks: null }), 'allowedCIDRBlocks'],
    [
      '101 CIDR blocks',
      modify({ allowedCIDRBlocks: Array.from({ length: 101 }, (_, i) => `10.0.${i}.0/24`) }),
      'allowedCIDRBlocks',
    ],
    ['an unknown key', modify({ expiresAt: '2031-01-01T00:00:00Z' }), 'expiresAt'],
    ['a bare address', modify({ allowedCIDRBlocks: ['10.0.0.1'] }), '10.0.0.1'],
    ['a prefix out of range', modify({ allowedCIDRBlocks: ['10.0.0.0/33'] }), '10.0.0.0/33'],
    ['host bits', modify({ allowedCIDRBlocks: ['10.0.0.1/8'] }), '10.0.0.0/8'],
    ['a leading zero', modify({ allowedCIDRBlocks: ['010.0.0.0/8'] }), '010.0.0.0/8'],
    ['a zone', modify({ allowedCIDRBlocks: ['fe80::%eth0/64'] }), 'fe80::%eth0/64'],
    ['a mapped block', modify({ allowedCIDRBlocks: ['::ffff:10.0.0.0/104'] }), '::ffff:10.0.0.0/104'],
    ['no object', '[]', ''],
    ['a text', '"x"', ''],
    ['nothing at all', '', 'name'],
  ])('refuses %s with 400 that names it', async (_, body, named) => {
    const headers = { ...owner.byPassword, 'content-type': 'application/json' };
    const { status, json } = await server.send('POST', '/api-tokens', { headers, body });
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'bad_request' });
    expect(Object.keys(json)).toEqual(['message', 'error']);
    expect(json.message).toContain(named);
  });

  test('nobody grants a permission they do not hold', async () => {
    const key = await makeKey([MODIFY, READ]);
    const body = modify({ permissions: [READ, 'RuleModify'] });
    const { status, json } = await server.send('POST', '/api-tokens', { headers: key.headers, body });
    expect({ status, error: json.error }).toEqual({ status: 403, error: 'forbidden' });
    expect(json.message).toContain('RuleModify');
  });

  test.each([[[]], [['126.0.0.0/7']], [['127.0.0.0/8', '10.0.0.0/8']], [['::1/128']]])(
    'a confined token cannot make one that reaches %j',
    async (allowedCIDRBlocks) => {
      const key = await makeKey([MODIFY, 'BulkUpload'], owner, ['127.0.0.0/8']);
      const body = modify({ allowedCIDRBlocks });
      const { status, json } = await server.send('POST', '/api-tokens', { headers: key.headers, body });
      expect({ status, error: json.error }).toEqual({ status: 403, error: 'forbidden' });
    },
  );

  test('a confined token makes one within its blocks', async () => {
    const key = await makeKey([MODIFY, 'BulkUpload'], owner, ['127.0.0.0/8']);
    const body = modify({ allowedCIDRBlocks: ['127.0.0.0/16'] });
    expect((await server.send('POST', '/api-tokens', { headers: key.headers, body })).status).toBe(200);
  });

  test('needs OrganizationAPITokenModify; Read does not cover it', async () => {
    const key = await makeKey([READ]);
    const { status, json } = await server.send('POST', '/api-tokens', {
      headers: key.headers,
      body: modify(),
    });
    expect({ status, error: json.error }).toEqual({ status: 403, error: 'forbidden' });
    expect(json.message).toContain(MODIFY);
  });

  test('writes one audit event, without the value', async () => {
    const { json } = await server.send('POST', '/api-tokens', { headers: owner.byPassword, body: modify() });
    const tokenId = json.value.slice(0, 15);
    const events = await server.app.dataSource.manager.findBy(AuditEvent, { objectId: tokenId });
    expect(events).toMatchObject([
      {
        action: 'token.create',
        actorType: 'user',
        actorId: owner.user.id,
        objectType: 'token',
        address: '127.0.0.1',
      },
    ]);
    expect(events[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('GET /api-tokens', () => {
  test('lists the organization newest first, in pages that neither repeat nor drop a row', async () => {
    const place = await server.organization('Paging');
    const pager = await server.makeUser({ role: 'organizationAdministrator', organizationId: place.id });
    const made: string[] = [];
    // Made in another order than their times say: 0, 3, 6, 2, 5, 1, 4 minutes ago.
    for (let count = 0; count < 7; count += 1) {
      const minutes = (count * 3) % 7;
      const { id } = await makeKey([READ], pager);
      const createdAt = new Date(Date.now() - minutes * 60_000 - 1000);
      await server.app.dataSource.query('UPDATE tokens SET created_at = $2 WHERE id = $1', [
        decodeId(id),
        createdAt,
      ]);
      made[minutes] = id;
    }
    const seen: string[] = [];
    let cursor = '';
    let pages = 0;
    do {
      const { json } = await server.send('GET', `/api-tokens?limit=3${cursor}`, {
        headers: pager.byPassword,
      });
      seen.push(...json.results.map((token: { id: string }) => token.id));
      // A token made between two pages moves nothing.
      if (pages === 0) await makeKey([READ], pager);
      cursor = json.next === undefined ? '' : `&cursor=${encodeURIComponent(json.next)}`;
      pages += 1;
    } while (cursor !== '');
    expect(pages).toBe(3);
    expect(seen).toEqual(made);
  });

  test('the last page has no `next`', async () => {
    const { json } = await server.send('GET', '/api-tokens?limit=1000', { headers: owner.byPassword });
    expect(Object.keys(json)).toEqual(['results']);
  });

  test("shows neither another organization's tokens nor another dialect's, nor a value", async () => {
    const foreign = await makeKey([READ], stranger);
    const { token } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const { text } = await server.send('GET', '/api-tokens?limit=1000', { headers: owner.byPassword });
    expect(text).not.toContain(foreign.id);
    expect(text).not.toContain(encodeId(token.id));
    expect(text).not.toContain('value');
  });

  test('a member sees the own tokens alone', async () => {
    const own = await makeKey([READ], member);
    const { json } = await server.send('GET', '/api-tokens', { headers: member.byPassword });
    expect(json.results.map((token: { id: string }) => token.id)).toEqual([own.id]);
  });

  test.each([
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=1.5',
    'cursor=x',
    'cursor=',
    'limit=1&limit=2',
    'colour=red',
  ])('refuses ?%s with 400', async (query) => {
    const { status, json } = await server.send('GET', `/api-tokens?${query}`, { headers: owner.byPassword });
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'bad_request' });
  });

  test('needs OrganizationAPITokenRead; Modify does not cover it', async () => {
    const key = await makeKey([MODIFY]);
    const { status, json } = await server.send('GET', '/api-tokens', { headers: key.headers });
    expect({ status, error: json.error }).toEqual({ status: 403, error: 'forbidden' });
    expect(json.message).toContain(READ);
  });
});

describe('GET /api-tokens/{id}', () => {
  test('gives a token, with the use of this very request', async () => {
    const key = await makeKey([READ]);
    const { status, json } = await server.send('GET', `/api-tokens/${key.id}`, { headers: key.headers });
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual([
      'id',
      'name',
      'permissions',
      'createdAt',
      'allowedCIDRBlocks',
      'createdBy',
      'expiresAt',
      'lastUsedAt',
    ]);
    expect(Date.now() - Date.parse(json.lastUsedAt)).toBeLessThan(5_000);
  });

  test('`self` and the own id need no permission', async () => {
    const key = await makeKey(['BulkUpload']);
    for (const id of ['self', key.id]) {
      const { status, json } = await server.send('GET', `/api-tokens/${id}`, { headers: key.headers });
      expect({ status, permissions: json.permissions }).toEqual({ status: 200, permissions: ['BulkUpload'] });
    }
  });

  test('another token needs OrganizationAPITokenRead', async () => {
    const key = await makeKey(['BulkUpload']);
    const other = await makeKey([READ]);
    expect((await server.send('GET', `/api-tokens/${other.id}`, { headers: key.headers })).status).toBe(403);
  });

  test('`self` by password is 400', async () => {
    const { status, json } = await server.send('GET', '/api-tokens/self', { headers: owner.byPassword });
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'bad_request' });
  });

  test('an unknown id, a malformed one, and one of another organization are 404', async () => {
    const foreign = await makeKey([READ], stranger);
    for (const id of [
      foreign.id,
      encodeId('00000000-0000-4000-8000-000000000000'),
      'po_x',
      'x',
      'po_' + 'z'.repeat(22),
    ]) {
      const { status, json } = await server.send('GET', `/api-tokens/${id}`, { headers: owner.byPassword });
      expect({ status, error: json.error }).toEqual({ status: 404, error: 'not_found' });
    }
  });

  test("a member may not see another's token", async () => {
    const key = await makeKey([READ]);
    const { status, json } = await server.send('GET', `/api-tokens/${key.id}`, {
      headers: member.byPassword,
    });
    expect({ status, error: json.error }).toEqual({ status: 403, error: 'forbidden' });
    expect(json.message).toContain(READ);
  });
});

describe('POST /api-tokens/{id}', () => {
  test('replaces all of it: CIDR blocks left out become none', async () => {
    const key = await makeKey([READ], owner, ['10.0.0.0/8']);
    const body = { name: 'renamed', permissions: [MODIFY] };
    const { status, json } = await server.send('POST', `/api-tokens/${key.id}`, {
      headers: owner.byPassword,
      body,
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: key.id,
      name: 'renamed',
      permissions: [MODIFY],
      allowedCIDRBlocks: [],
      updatedAt: expect.stringMatching(RFC_3339),
      updatedBy: { id: owner.user.id, type: 'user' },
    });
    expect(json).not.toHaveProperty('value');
    expect(json).not.toHaveProperty('rotatedAt');
    const again = await server.send('GET', `/api-tokens/${key.id}`, { headers: owner.byPassword });
    expect(again.json).toEqual(json);
  });

  test('needs OrganizationAPITokenModify even for `self`', async () => {
    const key = await makeKey([READ]);
    const { status } = await server.send('POST', '/api-tokens/self', {
      headers: key.headers,
      body: modify(),
    });
    expect(status).toBe(403);
  });

  test('a token cannot give itself more', async () => {
    const key = await makeKey([MODIFY]);
    const body = modify({ permissions: [MODIFY, READ] });
    expect((await server.send('POST', '/api-tokens/self', { headers: key.headers, body })).status).toBe(403);
  });

  test('a confined token can neither widen itself nor another', async () => {
    const key = await makeKey([MODIFY, 'BulkUpload'], owner, ['127.0.0.0/8']);
    const other = await makeKey(['BulkUpload'], owner, ['127.0.0.0/8']);
    for (const id of ['self', other.id]) {
      expect(
        (await server.send('POST', `/api-tokens/${id}`, { headers: key.headers, body: modify() })).status,
      ).toBe(403);
    }
  });

  test('refuses half a body and changes nothing', async () => {
    const key = await makeKey([READ]);
    const { status } = await server.send('POST', `/api-tokens/${key.id}`, {
      headers: owner.byPassword,
      body: { name: 'x' },
    });
    expect(status).toBe(400);
    const { json } = await server.send('GET', `/api-tokens/${key.id}`, { headers: owner.byPassword });
    expect(json.name).toBe(key.token.name);
  });

  test('an unknown id is 404', async () => {
    const id = encodeId('00000000-0000-4000-8000-000000000000');
    const { status } = await server.send('POST', `/api-tokens/${id}`, {
      headers: owner.byPassword,
      body: modify(),
    });
    expect(status).toBe(404);
  });
});

describe('DELETE /api-tokens/{id}', () => {
  test('answers 204 and nothing; the token is dead and gone', async () => {
    const key = await makeKey([READ]);
    const { status, text } = await server.send('DELETE', `/api-tokens/${key.id}`, {
      headers: owner.byPassword,
    });
    expect({ status, text }).toEqual({ status: 204, text: '' });
    expect((await server.send('GET', '/api-tokens/self', { headers: key.headers })).status).toBe(401);
    expect((await server.send('DELETE', `/api-tokens/${key.id}`, { headers: owner.byPassword })).status).toBe(
      404,
    );
  });

  test('`self` needs no permission', async () => {
    const key = await makeKey(['BulkUpload']);
    expect((await server.send('DELETE', '/api-tokens/self', { headers: key.headers })).status).toBe(204);
    expect((await server.send('GET', '/api-tokens/self', { headers: key.headers })).status).toBe(401);
  });

  test("another's needs OrganizationAPITokenModify", async () => {
    const key = await makeKey([READ]);
    const other = await makeKey([READ]);
    expect((await server.send('DELETE', `/api-tokens/${other.id}`, { headers: key.headers })).status).toBe(
      403,
    );
  });

  test('a JSON content type without a body does not matter', async () => {
    const key = await makeKey([READ]);
    const headers = { ...owner.byPassword, 'content-type': 'application/json' };
    expect((await server.send('DELETE', `/api-tokens/${key.id}`, { headers })).status).toBe(204);
  });
});

describe('POST /api-tokens/{id}/rotate', () => {
  test('gives a new value, keeps the rest, and kills the old value at once', async () => {
    const key = await makeKey(['BulkUpload'], owner, ['127.0.0.0/8']);
    const { status, json } = await server.send('POST', '/api-tokens/self/rotate', { headers: key.headers });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: key.id,
      name: key.token.name,
      permissions: ['BulkUpload'],
      allowedCIDRBlocks: ['127.0.0.0/8'],
      rotatedAt: expect.stringMatching(RFC_3339),
    });
    expect(json).not.toHaveProperty('updatedAt');
    expect(json.value).not.toBe(key.value);
    expect((await server.send('GET', '/api-tokens/self', { headers: key.headers })).status).toBe(401);
    const fresh = await server.send('GET', '/api-tokens/self', { headers: { 'x-api-key': json.value } });
    expect(fresh.json.rotatedAt).toBe(json.rotatedAt);
  });

  test.each([[undefined], [''], ['{}']])('takes the body %j', async (body) => {
    const key = await makeKey(['BulkUpload']);
    const headers = { ...key.headers, 'content-type': 'application/json' };
    expect((await server.send('POST', '/api-tokens/self/rotate', { headers, body })).status).toBe(200);
  });

  test('refuses a body with anything in it', async () => {
    const key = await makeKey(['BulkUpload']);
    const body = { graceSeconds: 5 };
    expect(
      (await server.send('POST', '/api-tokens/self/rotate', { headers: key.headers, body })).status,
    ).toBe(400);
    expect((await server.send('GET', '/api-tokens/self', { headers: key.headers })).status).toBe(200);
  });

  test("another's by id, one after the other: each answer's value lives until the next", async () => {
    const key = await makeKey(['BulkUpload']);
    const path = `/api-tokens/${key.id}/rotate`;
    const first = await server.send('POST', path, { headers: owner.byPassword });
    const second = await server.send('POST', path, { headers: owner.byPassword });
    expect([first.status, second.status]).toEqual([200, 200]);
    const values = [key.value, first.json.value, second.json.value];
    const statuses = [];
    for (const value of values) {
      statuses.push(
        (await server.send('GET', '/api-tokens/self', { headers: { 'x-api-key': value } })).status,
      );
    }
    expect(statuses).toEqual([401, 401, 200]);
  });

  test('nobody takes over a token that holds what they lack', async () => {
    const key = await makeKey([MODIFY]);
    const richer = await makeKey([MODIFY, 'RuleModify']);
    const { status } = await server.send('POST', `/api-tokens/${richer.id}/rotate`, { headers: key.headers });
    expect(status).toBe(403);
    expect((await server.send('GET', '/api-tokens/self', { headers: richer.headers })).status).toBe(200);
  });

  test('a confined token takes over none that reaches beyond it', async () => {
    const key = await makeKey([MODIFY], owner, ['127.0.0.0/8']);
    const wider = await makeKey([MODIFY]);
    expect(
      (await server.send('POST', `/api-tokens/${wider.id}/rotate`, { headers: key.headers })).status,
    ).toBe(403);
  });

  test("another's needs OrganizationAPITokenModify; `self` by password is 400", async () => {
    const key = await makeKey([READ]);
    const other = await makeKey([READ]);
    expect(
      (await server.send('POST', `/api-tokens/${other.id}/rotate`, { headers: key.headers })).status,
    ).toBe(403);
    expect((await server.send('POST', '/api-tokens/self/rotate', { headers: owner.byPassword })).status).toBe(
      400,
    );
  });
});

describe('Credentials', () => {
  test('only X-API-Key carries a token', async () => {
    const key = await makeKey([READ]);
    const headers = { authorization: `Bearer ${key.value}` };
    expect((await server.send('GET', '/api-tokens/self', { headers })).status).toBe(401);
  });

  test('absent, malformed, unknown, revoked, expired, inactive keys and those of a disabled owner get one body', async () => {
    const ownerId = owner.user.id;
    const expired = await server.issue({
      dialect: 'panther',
      ownerId,
      scopes: [READ],
      expiresAt: new Date(Date.now() - 1),
    });
    const inactive = await server.issue({ dialect: 'panther', ownerId, scopes: [READ], inactive: true });
    const revoked = await makeKey([READ]);
    await server.revoke(revoked.token);
    const unknown = await makeKey([READ]);
    await server.send('POST', '/api-tokens/self/rotate', { headers: unknown.headers });
    const disabled = await server.makeUser();
    const dead = await makeKey([READ], disabled);
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [disabled.user.id]);
    const keys = [
      undefined,
      'pt-nonsense',
      expired.value,
      inactive.value,
      revoked.value,
      unknown.value,
      dead.value,
    ];
    for (const key of keys) {
      const { status, text } = await server.send('GET', '/api-tokens/self', {
        headers: key ? { 'x-api-key': key } : {},
      });
      expect({ status, text }).toEqual({
        status: 401,
        text: '{"message":"unauthorized","error":"unauthorized"}',
      });
    }
  });

  test('two different tokens in one request are refused, the same one twice is not', async () => {
    const [one, other] = [await makeKey([READ]), await makeKey([READ])];
    const two = { ...one.headers, ...basic(owner.user.login, other.value) };
    expect((await server.send('GET', '/api-tokens/self', { headers: two })).status).toBe(401);
    const same = { ...one.headers, ...basic(owner.user.login, one.value) };
    expect((await server.send('GET', '/api-tokens/self', { headers: same })).status).toBe(200);
    const lines = { 'x-api-key': [one.value, other.value] };
    expect((await server.send('GET', '/api-tokens/self', { headers: lines })).status).toBe(401);
  });

  test('outside its CIDR blocks a token is 403 and nothing is told of it', async () => {
    const key = await makeKey([READ], owner, ['10.0.0.0/8']);
    const { status, text } = await server.send('GET', '/api-tokens/self', { headers: key.headers });
    expect({ status, text }).toEqual({
      status: 403,
      text: '{"message":"access denied","error":"forbidden"}',
    });
  });
});

test('a malformed content type is 415, but not before anybody asks who is calling', async () => {
  const sent = { headers: { 'content-type': 'nonsense' }, body: '{}' };
  expect((await server.send('POST', '/api-tokens', sent)).status).toBe(401);
  const headers = { ...owner.byPassword, ...sent.headers };
  expect((await server.send('POST', '/api-tokens', { ...sent, headers })).status).toBe(415);
});
