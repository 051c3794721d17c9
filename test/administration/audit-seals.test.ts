import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createHash, createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';
import { Sealer } from '../../src/audit/chain/sealer.js';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let head: TestUser;
let member: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator' });
  member = await server.makeUser({ login: 'member' });
  await seal();
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function call(method: string, path: string, headers = server.asAdmin): Promise<Received> {
  return server.send(method, `/patois/v1${path}`, { headers });
}

/** Seals all that is committed, as the task does every few seconds. */
async function seal(): Promise<void> {
  while (await server.app.nest.get(Sealer, { strict: false }).seal());
}

async function verification(): Promise<{ result: Record<string, unknown>; [key: string]: unknown }> {
  const started = await call('GET', '/audit-seals/verification');
  expect([started.status, started.headers['location']]).toEqual([202, `/patois/v1/jobs/${started.json.id}`]);
  let job = started.json;
  await until(async () => {
    job = (await call('GET', `/jobs/${started.json.id}`)).json;
    return job.endedAt !== null;
  });
  expect(job.problem).toBe(null);
  return job;
}

interface Seal {
  sequence: number;
  events: number;
  root: string;
  previousRoot: string | null;
  firstEvent: string;
  lastEvent: string;
  key: string;
  signature: string;
}

async function newest(): Promise<Seal> {
  return (await call('GET', '/audit-seals?limit=1')).json.items[0];
}

test('all holds', async () => {
  await server.makeUser();
  await seal();
  console.log(await newest());
  const { result } = await verification();
  console.log(result);
});
