/* oxlint-disable jest/no-standalone-expect -- the commands run within the one test */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Database } from '../../src/database/database.js';
import { RotatedTokens } from '../../src/decisions/rotated-tokens.js';
import { moveClock } from '../support/clock.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';
import { hasServer, openTestStore } from '../support/store.js';

/** Two replicas on one database; on the embedded engine, which has one process, one stands for both. */
let replicas: readonly [TestServer, TestServer];
let owner: TestUser;

beforeAll(async () => {
  const tokenKeys = [{ name: 'k1', secret: randomBytes(32) }];
  const store = await openTestStore();
  const kept = async (): Promise<Database> => ({ ...store, close: async () => {} });
  const first = await TestServer.start({ tokenKeys }, async () => store);
  replicas = [first, hasServer ? await TestServer.start({ tokenKeys }, kept) : first];
  const { id: organizationId } = await first.organization(ORGANIZATION);
  owner = await first.makeUser({ organizationId });
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(async () => {
  const [first, second] = replicas;
  if (second !== first) await second.close();
  await first.close();
});

type Replica = 0 | 1;
const ORGANIZATION = 'Model';
const OVERLAP_MS = 60_000;
const REPLAY_MS = 120_000;
const KEY_MS = 86_400_000;
/** Real time in which a replica has heard of what another changed. */
const HEARD_MS = 5_000;

/** As much of the organization's policy as rotation looks at. */
interface Policy {
  maxLifetimeSeconds: number | null;
  defaultGraceSeconds: number;
}

/** What a token's values are to do. Times in milliseconds since 1970. */
interface Model {
  /** When it was issued or rotated last. */
  bornAt: number;
  expiresAt: number | null;
  policy: Policy;
  isRevoked: boolean;
  /** By their place in `values`. */
  current: number;
  previous: { index: number; until: number; retires: boolean } | undefined;
  /** The last rotation with a key: the key, its body, when, and what it gave. */
  repeatable: { key: string; body: object; at: number; index: number } | undefined;
}

/** The token on the servers. */
interface Real {
  tokenId: string;
  values: string[];
}

function isLive({ isRevoked, expiresAt }: Model): boolean {
  return !isRevoked && (expiresAt === null || expiresAt > Date.now());
}

function works(model: Model, index: number): boolean {
  if (!isLive(model)) return false;
  if (index === model.current) return true;
  const { previous } = model;
  return previous?.index === index && previous.until > Date.now();
}

async function settled(): Promise<void> {
  for (const { app } of replicas) await app.nest.get(RotatedTokens, { strict: false }).settled();
}

/** What a replica says of a value once it has heard of all changes. */
async function expectUse(model: Model, real: Real, index: number, replica: Replica): Promise<void> {
  const expected = works(model, index) ? 204 : 401;
  const end = performance.now() + HEARD_MS;
  const use = async (): Promise<number> => {
    const { status } = await replicas[replica].send('GET', '/verify', {
      headers: bearer(real.values[index] as string),
    });
    return status;
  };
  let status = await use();
  while (status !== expected && performance.now() < end) {
    await sleep(10);
    status = await use();
  }
  expect([index, status]).toEqual([index, expected]);
  await settled();
  const { previous } = model;
  if (expected !== 204 || index !== model.current || !previous?.retires) return;
  const until = Date.now() + OVERLAP_MS;
  if (previous.until > until) model.previous = { ...previous, until, retires: false };
}

interface RotationBody {
  /** Undefined: that of the policy. */
  graceSeconds?: number | undefined;
  retireOnFirstUse: boolean;
}

function rotatedTo(model: Model, { graceSeconds, retireOnFirstUse }: RotationBody, index: number): void {
  const now = Date.now();
  const { maxLifetimeSeconds, defaultGraceSeconds } = model.policy;
  model.bornAt = now;
  if (maxLifetimeSeconds !== null) {
    model.expiresAt = Math.min(model.expiresAt ?? Infinity, now + maxLifetimeSeconds * 1000);
  }
  const end = Math.min(now + (graceSeconds ?? defaultGraceSeconds) * 1000, model.expiresAt ?? Infinity);
  model.previous = end > now ? { index: model.current, until: end, retires: retireOnFirstUse } : undefined;
  model.current = index;
}

class Rotate implements fc.AsyncCommand<Model, Real> {
  constructor(
    private readonly body: RotationBody,
    private readonly hasKey: boolean,
    private readonly replica: Replica,
  ) {}
  check = ({ isRevoked }: Readonly<Model>): boolean => !isRevoked;
  async run(model: Model, real: Real): Promise<void> {
    const key = randomUUID();
    const { status, json } = await rotate(this.replica, real, this.body, this.hasKey ? key : undefined);
    expect(status).toBe(200);
    const index = real.values.push(json.token) - 1;
    rotatedTo(model, this.body, index);
    if (this.hasKey) model.repeatable = { key, body: this.body, at: Date.now(), index };
  }
  toString = (): string => `rotate(${JSON.stringify(this.body)}, key ${this.hasKey}, at ${this.replica})`;
}

/** The answer was lost: the same request again, anywhere. */
class Repeat implements fc.AsyncCommand<Model, Real> {
  constructor(private readonly replica: Replica) {}
  check = ({ repeatable }: Readonly<Model>): boolean =>
    repeatable !== undefined && Date.now() - repeatable.at < KEY_MS;
  async run({ repeatable }: Model, real: Real): Promise<void> {
    if (!repeatable) return;
    const { key, body, at, index } = repeatable;
    const { status, json } = await rotate(this.replica, real, body, key);
    const isRecent = Date.now() - at < REPLAY_MS;
    expect([status, json.token]).toEqual(isRecent ? [200, real.values[index]] : [409, undefined]);
  }
  toString = (): string => `repeat(at ${this.replica})`;
}

class Use implements fc.AsyncCommand<Model, Real> {
  constructor(
    /** How many rotations ago the value was the current one. */
    private readonly age: number,
    private readonly replica: Replica,
  ) {}
  check = ({ current }: Readonly<Model>): boolean => this.age <= current;
  run(model: Model, real: Real): Promise<void> {
    return expectUse(model, real, model.current - this.age, this.replica);
  }
  toString = (): string => `use(${this.age} ago, at ${this.replica})`;
}

class Expire implements fc.AsyncCommand<Model, Real> {
  constructor(
    private readonly inMs: number | null,
    private readonly replica: Replica,
  ) {}
  check = ({ isRevoked }: Readonly<Model>): boolean => !isRevoked;
  async run(model: Model, { tokenId }: Real): Promise<void> {
    const expiresAt = this.inMs === null ? null : Date.now() + this.inMs;
    const { status } = await replicas[this.replica].send('PATCH', `/patois/v1/tokens/${tokenId}`, {
      headers: owner.byPassword,
      body: { expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() },
    });
    const { maxLifetimeSeconds: seconds } = model.policy;
    const latest = seconds === null ? Infinity : model.bornAt + seconds * 1000;
    const isAllowed = (expiresAt ?? Infinity) <= latest || expiresAt === model.expiresAt;
    expect(status).toBe(isAllowed ? 200 : 422);
    if (isAllowed) model.expiresAt = expiresAt;
  }
  toString = (): string => `expire(in ${this.inMs}, at ${this.replica})`;
}

class Revoke implements fc.AsyncCommand<Model, Real> {
  constructor(private readonly replica: Replica) {}
  check = (): boolean => true;
  async run(model: Model, { tokenId }: Real): Promise<void> {
    const { status } = await replicas[this.replica].send('DELETE', `/patois/v1/tokens/${tokenId}`, {
      headers: owner.byPassword,
    });
    expect(status).toBe(204);
    model.isRevoked = true;
  }
  toString = (): string => `revoke(at ${this.replica})`;
}

class ChangePolicy implements fc.AsyncCommand<Model, Real> {
  constructor(
    private readonly policy: Policy,
    private readonly replica: Replica,
  ) {}
  check = (): boolean => true;
  async run(model: Model): Promise<void> {
    await replacePolicy(this.policy, this.replica);
    model.policy = this.policy;
  }
  toString = (): string => `policy(${JSON.stringify(this.policy)}, at ${this.replica})`;
}

async function replacePolicy(policy: Policy, replica: Replica): Promise<void> {
  const { status } = await replicas[replica].send('PUT', `/patois/v1/organizations/${ORGANIZATION}/policy`, {
    headers: replicas[0].asAdmin,
    body: policy,
  });
  expect(status).toBe(200);
}

const NO_POLICY: Policy = { maxLifetimeSeconds: null, defaultGraceSeconds: 0 };

class Wait implements fc.AsyncCommand<Model, Real> {
  constructor(private readonly ms: number) {}
  check = (): boolean => true;
  async run(): Promise<void> {
    moveClock(this.ms);
  }
  toString = (): string => `wait(${this.ms} ms)`;
}

function rotate(replica: Replica, { tokenId }: Real, body: object, key?: string): Promise<Received> {
  return replicas[replica].send('POST', `/patois/v1/tokens/${tokenId}/rotate`, {
    headers: { ...owner.byPassword, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body,
  });
}

const replica = fc.constantFrom<Replica>(0, 1);
const graceSeconds = fc.constantFrom(undefined, 0, 1, 60, 61, 600, 604_800);
const COMMANDS = [
  fc
    .tuple(fc.record({ graceSeconds, retireOnFirstUse: fc.boolean() }), fc.boolean(), replica)
    .map(([body, hasKey, at]) => new Rotate(body, hasKey, at)),
  replica.map((at) => new Repeat(at)),
  fc.tuple(fc.nat(3), replica).map(([age, at]) => new Use(age, at)),
  fc.tuple(fc.nat(1), replica).map(([age, at]) => new Use(age, at)),
  fc
    .tuple(fc.constantFrom(null, 30_000, 300_000, 86_400_000), replica)
    .map(([inMs, at]) => new Expire(inMs, at)),
  fc
    .tuple(
      fc.record({
        maxLifetimeSeconds: fc.constantFrom(null, 30, 600, 86_400),
        defaultGraceSeconds: fc.constantFrom(0, 61, 600),
      }),
      replica,
    )
    .map(([policy, at]) => new ChangePolicy(policy, at)),
  fc.constantFrom(1, 1_000, 59_999, 60_000, 120_000, 600_000, 86_400_000).map((ms) => new Wait(ms)),
];

test('no interleaving makes a value work that should not, ends one that should, or revives one', async () => {
  await fc.assert(
    fc.asyncProperty(
      // A revocation ends all, so it is rare.
      fc.commands([...COMMANDS, ...COMMANDS, replica.map((at) => new Revoke(at))], { maxCommands: 30 }),
      async (commands) => {
        jest.useRealTimers();
        moveClock(0);
        await replacePolicy(NO_POLICY, 0);
        const { status, json } = await replicas[0].send('POST', '/patois/v1/tokens', {
          headers: owner.byPassword,
          body: { dialect: 'patois', owner: owner.user.login, name: 'model', scopes: ['patois:*'] },
        });
        expect(status).toBe(201);
        const model: Model = {
          bornAt: Date.now(),
          policy: NO_POLICY,
          expiresAt: null,
          isRevoked: false,
          current: 0,
          previous: undefined,
          repeatable: undefined,
        };
        const real: Real = { tokenId: json.tokenId, values: [json.token] };
        await fc.asyncModelRun(() => ({ model, real }), commands);
        const working = real.values.filter((_, index) => works(model, index));
        expect(working.length).toBeLessThanOrEqual(2);
        // Once now, and once when what the uses of that have ended is over.
        for (const waitMs of [0, OVERLAP_MS]) {
          moveClock(waitMs);
          for (const at of [0, 1] as const) {
            for (const index of real.values.keys()) await expectUse(model, real, index, at);
          }
        }
      },
    ),
    { numRuns: Number(process.env['MODEL_RUNS'] ?? 40) },
  );
}, 300_000);
