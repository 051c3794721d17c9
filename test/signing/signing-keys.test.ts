import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { SigningKey } from '../../src/signing/signing-key.entity.js';
import {
  PUBLISHED_AFTER_MS,
  PUBLISHED_AHEAD_MS,
  SigningKeys,
  SIGNS_FOR_MS,
} from '../../src/signing/signing-keys.js';
import { basic } from '../support/http.js';
import { TestServer } from '../support/server.js';

const DAY_MS = 86_400_000;

let server: TestServer;
let dataSource: DataSource;
let headers: Record<string, string>;
let keys: SigningKeys;

beforeAll(async () => {
  server = await TestServer.start();
  ({ dataSource } = server.app);
  keys = server.app.nest.get(SigningKeys, { strict: false });
  const { value } = await server.issue({
    dialect: 'quay',
    ownerId: (await server.admin()).id,
    scopes: ['user:admin'],
  });
  headers = basic('$app', value);
});
afterAll(() => server.close());
beforeEach(async () => {
  await dataSource.manager.clear(SigningKey);
  await keys.rotate();
});

function rows(): Promise<SigningKey[]> {
  return dataSource.manager.find(SigningKey, { order: { generation: 'ASC' } });
}

/** Makes all keys older, as if that time had passed, and looks after them. */
async function pass(ms: number): Promise<void> {
  for (const { generation, signsFrom, createdAt } of await rows()) {
    await dataSource.manager.update(
      SigningKey,
      { generation },
      { signsFrom: new Date(signsFrom.getTime() - ms), createdAt: new Date(createdAt.getTime() - ms) },
    );
  }
  await keys.rotate();
}

async function token(): Promise<string> {
  const { status, json } = await server.send('GET', '/v2/token?service=any', { headers });
  expect(status).toBe(200);
  return json.token;
}

/** The ids of the keys that are published, the newest first. */
async function published(): Promise<string[]> {
  const { json } = await server.send('GET', '/.well-known/jwks.json');
  return (json.keys as { kid: string }[]).map(({ kid }) => kid);
}

async function signing(): Promise<string> {
  return decodeProtectedHeader(await token()).kid ?? '';
}

describe('the keys of registries', () => {
  test('are published as JWKS with certificates, and as PEM', async () => {
    const jwks = await server.send('GET', '/.well-known/jwks.json');
    expect(jwks.status).toBe(200);
    expect(jwks.json.keys).toHaveLength(1);
    const [jwk] = jwks.json.keys;
    expect(Object.keys(jwk)).toEqual(['kty', 'crv', 'x', 'y', 'kid', 'use', 'alg', 'x5c']);
    expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' });
    const pem = await server.send('GET', '/v2/token/certs.pem');
    expect(pem.status).toBe(200);
    expect(pem.headers['content-type']).toMatch(/^application\/x-pem-file/);
    const certificate = new X509Certificate(pem.text);
    expect(certificate.raw.toString('base64')).toBe(jwk.x5c[0]);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 2 * SIGNS_FOR_MS);
    // libtrust: SHA-256 of the DER form, 240 bits of it, 5 a digit.
    const sum = createHash('sha256')
      .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
      .digest();
    const bits = BigInt(`0x${sum.subarray(0, 30).toString('hex')}`);
    const digits = bits
      .toString(32)
      .padStart(48, '0')
      .replace(/./g, (digit) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(digit, 32)] ?? '');
    expect(jwk.kid).toBe(digits.match(/.{4}/g)?.join(':'));
    const verified = await jwtVerify(await token(), createLocalJWKSet(jwks.json));
    expect(verified.protectedHeader.kid).toBe(jwk.kid);
  });

  test('are kept sealed', async () => {
    const [row] = await rows();
    expect(row?.sealedPrivateKey).toMatch(/^test:[A-Za-z0-9+/=]+$/);
    expect(JSON.stringify(await rows())).not.toContain('PRIVATE');
  });

  test('the next one is published long before it signs', async () => {
    const [first] = await published();
    await pass(SIGNS_FOR_MS - PUBLISHED_AHEAD_MS - DAY_MS);
    expect(await published()).toEqual([first]);
    await pass(DAY_MS);
    const [next, ...others] = await published();
    expect(others).toEqual([first]);
    expect(await signing()).toBe(first);
    const pem = (await server.send('GET', '/v2/token/certs.pem')).text;
    expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    await pass(PUBLISHED_AHEAD_MS - DAY_MS);
    expect(await signing()).toBe(first);
    await pass(DAY_MS);
    expect(await signing()).toBe(next);
  });

  test('the old one stays published until what it signed has expired, so that nobody is refused', async () => {
    const [first] = await published();
    await pass(SIGNS_FOR_MS - PUBLISHED_AHEAD_MS);
    await pass(PUBLISHED_AHEAD_MS - 1000);
    const jwt = await token();
    await pass(1000);
    const [next] = await published();
    expect(await signing()).toBe(next);
    const jwks = await server.send('GET', '/.well-known/jwks.json');
    expect((await jwtVerify(jwt, createLocalJWKSet(jwks.json))).protectedHeader.kid).toBe(first);
    await pass(PUBLISHED_AFTER_MS);
    expect(await published()).toEqual([next]);
    expect(await rows()).toHaveLength(1);
  });

  test('two replicas that make the next one at once make one', async () => {
    const hashing = server.app.nest.get(HashingService);
    const replicas = [new SigningKeys(dataSource, hashing), new SigningKeys(dataSource, hashing)];
    await dataSource.manager.clear(SigningKey);
    await Promise.all(replicas.map((replica) => replica.rotate()));
    expect(await rows()).toHaveLength(1);
    const [one, other] = await Promise.all(replicas.map((replica) => replica.signer()));
    expect(one?.keyId).toBe(other?.keyId);
  });

  test('one that was sealed under an older key of the ring is sealed anew', async () => {
    const [oldKey, newKey] = ['old', 'new'].map((name) => ({ name, secret: randomBytes(32) }));
    if (!oldKey || !newKey) throw new Error('two keys');
    await dataSource.manager.clear(SigningKey);
    const before = await new SigningKeys(dataSource, new HashingService([oldKey], 4)).signer();
    const between = await new SigningKeys(dataSource, new HashingService([newKey, oldKey], 4)).signer();
    const after = await new SigningKeys(dataSource, new HashingService([newKey], 4)).signer();
    expect([between.keyId, after.keyId]).toEqual([before.keyId, before.keyId]);
    expect(await rows()).toHaveLength(1);
  });

  test('where the key that sealed it has left the ring, a new one signs at once', async () => {
    const [first] = await published();
    const hashing = new HashingService([{ name: 'other', secret: randomBytes(32) }], 4);
    const replica = new SigningKeys(dataSource, hashing);
    const { keyId } = await replica.signer();
    expect(keyId).not.toBe(first);
    expect(await replica.certificates()).toHaveLength(2);
  });
});
