import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { User } from '../../src/accounts/user.entity.js';
import { EntityRows, type JsonRow } from '../../src/database/entity-rows.js';
import { Token } from '../../src/tokens/token.entity.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

function somebody(): Token['createdBy'] {
  return { type: 'user', id: randomUUID(), name: 'A "name" \\ ü 😀', createdAt: new Date(1_700_000_000_123) };
}

/** A token in which every column holds something, and no two the same. */
function fullToken(owner: User): Token {
  return Object.assign(new Token(), {
    id: randomUUID(),
    tokenId: `pt-${randomBytes(6).toString('hex')}`,
    dialect: 'patois',
    ownerId: owner.id,
    organizationId: owner.organizationId,
    name: 'name',
    uniqueName: 'unique "name"',
    description: 'line\nline\t\\ {} [] ,',
    scopes: ['one', 'two,"three" {four}', ''],
    allowedCidrs: ['192.0.2.0/24'],
    inactive: true,
    expiresAt: new Date('9999-12-31T23:59:59.999Z'),
    createdAt: new Date('2026-02-28T01:02:03.004Z'),
    createdBy: somebody(),
    updatedAt: new Date('2026-03-01T00:00:00.000Z'),
    updatedBy: somebody(),
    rotatedAt: new Date('1969-12-31T23:59:59.001Z'),
    revokedAt: new Date(1),
    revokedBy: somebody(),
    revokeReason: 'reason',
    digest: randomBytes(32),
    digestKey: 'key',
    previousDigest: randomBytes(32),
    previousDigestKey: 'previous',
    previousValidUntil: new Date(2),
    retiresOnFirstUse: true,
    sealedValue: 'sealed',
    dialectFields: { deep: [{ nothing: null, number: 1.5, text: '\\"' }] },
  });
}

/** Every column, hidden ones too, as TypeORM reads them. */
function loaded(id: string): Promise<Token> {
  const hidden = server.app.dataSource.getMetadata(Token).columns.filter(({ isSelect }) => !isSelect);
  return server.app.dataSource
    .getRepository(Token)
    .createQueryBuilder('token')
    .addSelect(hidden.map(({ propertyName }) => `token.${propertyName}`))
    .where({ id })
    .getOneOrFail();
}

async function readBack(rows: EntityRows<Token>, id: string): Promise<Token> {
  const [{ row } = {}] = await server.app.dataSource.query<{ row?: JsonRow }[]>(
    `SELECT row_to_json(r) AS row FROM (SELECT ${rows.columns('t', { hidden: true })} FROM tokens t WHERE t.id = $1) r`,
    [id],
  );
  return rows.entityOf(row ?? {});
}

test('what is written by hand TypeORM reads, to the last column', async () => {
  const rows = new EntityRows(server.app.dataSource, Token);
  const token = fullToken(await server.admin());
  const columns = rows.givenColumns.join(', ');
  await server.app.dataSource.query(
    `INSERT INTO tokens (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::tokens, $1::json)`,
    [JSON.stringify([rows.rowOf(token)])],
  );
  const { numericId, ...read } = await loaded(token.id);
  expect(numericId).toBeGreaterThan(0);
  expect(read).toEqual(Object.assign({}, token));
  expect(Object.values(read).filter((value) => value === null)).toEqual([]);
});

test('what TypeORM writes is read by hand, to the last column, also where nothing is in it', async () => {
  const rows = new EntityRows(server.app.dataSource, Token);
  const full = fullToken(await server.admin());
  const nobody = { type: null, id: null, name: null, createdAt: null };
  const empty = Object.assign(new Token(), full, {
    id: randomUUID(),
    tokenId: `pt-${randomBytes(6).toString('hex')}`,
    uniqueName: null,
    description: null,
    scopes: [],
    allowedCidrs: [],
    inactive: false,
    expiresAt: null,
    updatedAt: null,
    updatedBy: nobody,
    rotatedAt: null,
    revokedAt: null,
    revokedBy: nobody,
    revokeReason: null,
    previousDigest: null,
    previousDigestKey: null,
    previousValidUntil: null,
    retiresOnFirstUse: false,
    sealedValue: null,
    dialectFields: {},
  });
  for (const token of [Object.assign(new Token(), full, { uniqueName: 'another' }), empty]) {
    await server.app.dataSource.manager.insert(Token, token as object);
    expect(await readBack(rows, token.id)).toEqual(await loaded(token.id));
  }
});

test('a hidden column is read only where it is asked for', async () => {
  const { dataSource } = server.app;
  expect(new EntityRows(dataSource, User).columns('u')).not.toContain('password_digest');
  expect(new EntityRows(dataSource, User).columns('u', { hidden: true })).toContain('u.password_digest');
  const { token } = await server.issue({ dialect: 'patois', ownerId: (await server.admin()).id });
  const rows = new EntityRows(dataSource, Token);
  const read = rows.withoutHidden(await readBack(rows, token.id));
  expect([read.name, read.digest, read.sealedValue, read.previousDigest]).toEqual([
    token.name,
    undefined,
    undefined,
    undefined,
  ]);
});
