import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Refusal } from '../../src/refusal.js';
import { JwtSigner } from '../../src/signing/jwt-signer.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let signer: JwtSigner;

beforeAll(async () => {
  server = await TestServer.start();
  signer = server.app.nest.get(JwtSigner, { strict: false });
});
afterAll(() => server.close());

function sign(line: string): Promise<string> {
  return signer.sign('exchange', 'at+jwt', { sub: 'ada' }, line);
}

test('signs what the published keys verify, and counts it by what it is for', async () => {
  const jwt = await sign('ada');
  const { json } = await server.send('GET', '/.well-known/jwks.json');
  const { payload, protectedHeader } = await jwtVerify(jwt, createLocalJWKSet(json), { typ: 'at+jwt' });
  expect(payload).toEqual({ sub: 'ada' });
  expect(protectedHeader).toEqual({ typ: 'at+jwt', alg: 'ES256', kid: json.keys[0].kid });
  expect(signer.counts.signed).toEqual({ registry: 0, exchange: 1, introspection: 0 });
  const { text } = await server.send('GET', '/metrics');
  expect(text).toContain('patois_jwts_signed_total{purpose="exchange"} 1');
  expect(text).toContain('patois_jwts_signed_total{purpose="registry"} 0');
});

test('of very many at once some wait and the others are told to come again; one of another network is served', async () => {
  const greedy = Array.from({ length: 300 }, () => sign('10.0.0.0'));
  const other = sign('192.0.2.0');
  const outcomes = await Promise.allSettled(greedy);
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  // Two are signed, 200 wait, and one of the greedy network has made room for the other.
  expect(refused).toHaveLength(99);
  for (const reason of refused) {
    expect(reason).toBeInstanceOf(Refusal);
    expect(reason).toMatchObject({ kind: 'unavailable', reason: 'busy', retryAfterSeconds: 1 });
  }
  expect((await other).split('.')).toHaveLength(3);
  expect(signer.counts.refused).toBe(99);
  expect(signer.load).toEqual({ running: 0, waiting: 0 });
});
