import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { normalizeCidrs } from '../../../src/network/cidr.js';
import { DEFAULT_POLICY, type PolicySettings } from '../../../src/tokens/policy/policy.entity.js';
import { brokenBlocks, brokenLifetime } from '../../../src/tokens/policy/policy.js';
import { POLICY_RULES, PolicyPreview } from '../../../src/tokens/policy/policy-preview.js';
import { makeToken } from '../../../src/tokens/token-format.js';
import { LastUse, Token } from '../../../src/tokens/token.entity.js';
import { TestServer } from '../../support/server.js';

/**
 * A preview counts in SQL what the core decides in TypeScript: drawn tokens and policies, of which both must say the same.
 */

const RUNS = 150;
const HOUR = 3_600;

let server: TestServer;
let preview: PolicyPreview;
let organizationId: string;
let owners: string[];

beforeAll(async () => {
  server = await TestServer.start();
  preview = server.app.nest.get(PolicyPreview, { strict: false });
  organizationId = (await server.organization('Drawn')).id;
  owners = [];
  for (let count = 0; count < 3; count += 1) owners.push((await server.makeUser({ organizationId })).user.id);
});
afterAll(() => server.close());

/** Blocks that lie within each other, beside each other, of both families, in several spellings. */
const BLOCKS = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/24',
  '10.1.2.3/32',
  '10.128.0.0/9',
  '192.0.2.0/24',
  '::/0',
  '::/96',
  '::10.1.2.3/128',
  '::fffe:0:0/95',
  '2001:db8::/32',
  '2001:DB8:0:0::/48',
  '2001:db8:0:1::/64',
  '2001:db8:0:1::1/128',
];
/** Seconds before now, some of them limits of a policy to the millisecond. */
const LIMITS = [HOUR, 2 * HOUR, 3 * HOUR];
const moments = fc.constantFrom(
  ...LIMITS.flatMap((seconds) => [seconds * 1000 - 1, seconds * 1000, seconds * 1000 + 1]),
);
const blocks = fc.subarray(BLOCKS, { maxLength: 4 }).map((list) => normalizeCidrs(list));
const limit = fc.option(fc.constantFrom(...LIMITS));

const drawnPolicy: fc.Arbitrary<PolicySettings> = fc.record({
  ...Object.fromEntries(Object.entries(DEFAULT_POLICY).map(([key, value]) => [key, fc.constant(value)])),
  maxLifetimeSeconds: limit,
  allowNonExpiring: fc.boolean(),
  maxUnusedSeconds: limit,
  maxTokensPerUser: fc.option(fc.integer({ min: 1, max: 4 })),
  allowedCidrs: blocks,
  requireCidrs: fc.boolean(),
}) as fc.Arbitrary<PolicySettings>;

interface DrawnToken {
  owner: number;
  createdAgo: number;
  rotatedAgo: number | null;
  /** After the issue or rotation; null: never. */
  livesFor: number | null;
  usedAgo: number | null;
  allowedCidrs: string[];
  isRevoked: boolean;
}
const drawnToken: fc.Arbitrary<DrawnToken> = fc.record({
  owner: fc.nat(2),
  createdAgo: moments,
  rotatedAgo: fc.option(moments),
  livesFor: fc.option(moments),
  usedAgo: fc.option(moments),
  allowedCidrs: blocks,
  isRevoked: fc.boolean(),
});

const NOBODY = { type: null, id: null, name: null, createdAt: null };

function tokenOf(drawn: DrawnToken, now: number): Token {
  const ago = (milliseconds: number | null): Date | null =>
    milliseconds === null ? null : new Date(now - milliseconds);
  const createdAt = ago(drawn.createdAgo) as Date;
  const rotatedAt = ago(drawn.rotatedAgo);
  const from = (rotatedAt ?? createdAt).getTime();
  const { tokenId } = makeToken();
  return Object.assign(new Token(), {
    id: randomUUID(),
    tokenId,
    dialect: 'patois',
    ownerId: owners[drawn.owner],
    organizationId,
    name: tokenId,
    uniqueName: null,
    description: null,
    scopes: [],
    allowedCidrs: drawn.allowedCidrs,
    inactive: false,
    expiresAt: drawn.livesFor === null ? null : new Date(from + drawn.livesFor),
    createdAt,
    createdBy: NOBODY,
    updatedAt: null,
    updatedBy: NOBODY,
    rotatedAt,
    revokedAt: drawn.isRevoked ? new Date(now) : null,
    revokedBy: NOBODY,
    revokeReason: null,
    digest: Buffer.from(tokenId),
    digestKey: 'none',
    previousDigest: null,
    previousDigestKey: null,
    previousValidUntil: null,
    sealedValue: null,
    dialectFields: {},
  });
}

/** What each token breaks, as the core says it; of what it does not decide, as docs/policy.md says it. */
function brokenOf(
  policy: PolicySettings,
  lives: { token: Token; usedAt: Date | null }[],
  now: number,
): Map<Token, Set<string>> {
  const seen = ({ token, usedAt }: { token: Token; usedAt: Date | null }): number =>
    (usedAt ?? token.createdAt).getTime();
  const broken = new Map<Token, Set<string>>();
  for (const life of lives) {
    const { token } = life;
    const rules = new Set<string>();
    for (const part of [
      { ...DEFAULT_POLICY, allowNonExpiring: policy.allowNonExpiring },
      { ...DEFAULT_POLICY, maxLifetimeSeconds: policy.maxLifetimeSeconds },
    ]) {
      const rule = brokenLifetime(part, token);
      if (rule) rules.add(rule);
    }
    for (const part of [
      { ...DEFAULT_POLICY, requireCidrs: policy.requireCidrs },
      { ...DEFAULT_POLICY, allowedCidrs: policy.allowedCidrs },
    ]) {
      const rule = brokenBlocks(part, token.allowedCidrs);
      if (rule) rules.add(rule);
    }
    const unusedSince = policy.maxUnusedSeconds === null ? -Infinity : now - policy.maxUnusedSeconds * 1000;
    if (seen(life) <= unusedSince) rules.add('maxUnusedSeconds');
    broken.set(token, rules);
  }
  for (const owner of owners) {
    const own = lives.filter(({ token }) => token.ownerId === owner);
    own.sort(
      (one, other) =>
        seen(other) - seen(one) ||
        other.token.createdAt.getTime() - one.token.createdAt.getTime() ||
        (other.token.id < one.token.id ? -1 : 1),
    );
    for (const { token } of own.slice(policy.maxTokensPerUser ?? own.length))
      broken.get(token)?.add('maxTokensPerUser');
  }
  return broken;
}

test('drawn tokens break drawn policies in SQL as in TypeScript', async () => {
  const { manager } = server.app.dataSource;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(drawnToken, { maxLength: 12 }), drawnPolicy, async (drawn, policy) => {
      await manager.query('DELETE FROM tokens');
      await manager.query('DELETE FROM last_uses');
      const now = Date.now();
      const lives = drawn.map((one) => ({
        token: tokenOf(one, now),
        usedAt: one.usedAgo === null ? null : new Date(now - one.usedAgo),
      }));
      for (const { token, usedAt } of lives) {
        await manager.insert(Token, token as object);
        await manager.insert(LastUse, { tokenUuid: token.id, usedAt, address: null, userAgent: null });
      }
      const live = lives.filter(({ token }) => !token.isRevoked() && !token.isExpired(new Date(now)));
      const broken = brokenOf(policy, live, now);
      const found = await preview.of(organizationId, policy, 'test', new Date(now));
      const names = [...broken].filter(([, rules]) => rules.size > 0).map(([token]) => token.id);
      const byRule = Object.fromEntries(
        POLICY_RULES.map((rule) => [rule, [...broken.values()].filter((rules) => rules.has(rule)).length]),
      );
      for (const rule of POLICY_RULES) if (byRule[rule]) seen.add(rule);
      expect({ ...found, sample: found.sample.toSorted() }).toEqual({
        affected: names.length,
        byRule,
        sample: names.toSorted(),
      });
    }),
    { numRuns: RUNS },
  );
  expect([...seen].sort()).toEqual([...POLICY_RULES].sort());
});

test.each(BLOCKS.flatMap((bound) => BLOCKS.map((block) => [block, bound] as const)))(
  '%s within %s: in SQL as in TypeScript',
  async (block, bound) => {
    const [{ isWithin } = { isWithin: null }] = await server.app.dataSource.query<{ isWithin: boolean }[]>(
      `SELECT $1::text::inet <<= $2::text::inet AS "isWithin"`,
      [block, bound],
    );
    const rule = brokenBlocks({ ...DEFAULT_POLICY, allowedCidrs: [bound] }, [block]);
    expect(isWithin).toBe(rule === undefined);
  },
);
