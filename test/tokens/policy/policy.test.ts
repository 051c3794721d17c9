import { describe, expect, test } from '@jest/globals';
import {
  blocksWithin,
  brokenBlocks,
  brokenLifetime,
  defaultExpiry,
  expiryAtRotation,
  type Life,
  loosens,
  policyRefusal,
  type RefusingRule,
} from '../../../src/tokens/policy/policy.js';
import { DEFAULT_POLICY, type PolicySettings } from '../../../src/tokens/policy/policy.entity.js';

const DAY = 86_400;
const MADE = new Date('2026-01-01T00:00:00.000Z');

function policy(settings: Partial<PolicySettings> = {}): PolicySettings {
  return { ...DEFAULT_POLICY, ...settings };
}

/** So many seconds after a token was made. */
function at(seconds: number): Date {
  return new Date(MADE.getTime() + seconds * 1000);
}

function life(expiresAfter: number | null, rotatedAfter: number | null = null): Life {
  return {
    createdAt: MADE,
    rotatedAt: rotatedAfter === null ? null : at(rotatedAfter),
    expiresAt: expiresAfter === null ? null : at(expiresAfter),
  };
}

describe('the expiry that nobody names', () => {
  test.each<[Partial<PolicySettings>, number | null]>([
    [{}, null],
    [{ maxLifetimeSeconds: 90 * DAY }, 90 * DAY],
    [{ defaultLifetimeSeconds: 30 * DAY }, 30 * DAY],
    [{ maxLifetimeSeconds: 90 * DAY, defaultLifetimeSeconds: 30 * DAY }, 30 * DAY],
    [{ allowNonExpiring: false }, null],
  ])('%j: %p seconds', (settings, seconds) => {
    expect(defaultExpiry(policy(settings), MADE)).toEqual(seconds === null ? null : at(seconds));
  });
});

describe('the lifetime', () => {
  test.each<[Partial<PolicySettings>, Life, RefusingRule | undefined]>([
    [{}, life(null), undefined],
    [{ defaultLifetimeSeconds: 1 }, life(null), undefined],
    [{ defaultLifetimeSeconds: 1 }, life(2), undefined],
    [{ allowNonExpiring: false }, life(null), 'allowNonExpiring'],
    [{ allowNonExpiring: false }, life(1_000 * DAY), undefined],
    [{ maxLifetimeSeconds: DAY }, life(null), 'maxLifetimeSeconds'],
    [{ maxLifetimeSeconds: DAY }, life(DAY), undefined],
    [{ maxLifetimeSeconds: DAY }, life(DAY + 0.001), 'maxLifetimeSeconds'],
    [{ maxLifetimeSeconds: DAY, allowNonExpiring: false }, life(null), 'allowNonExpiring'],
    // It counts from the rotation.
    [{ maxLifetimeSeconds: DAY }, life(2 * DAY, DAY), undefined],
    [{ maxLifetimeSeconds: DAY }, life(2 * DAY + 1, DAY), 'maxLifetimeSeconds'],
  ])('%j allows %j, or names its rule: %p', (settings, token, rule) => {
    expect(brokenLifetime(policy(settings), token)).toBe(rule);
  });
});

describe('a rotation', () => {
  test.each<[Partial<PolicySettings>, number | null, number | null]>([
    [{}, null, null],
    [{ defaultLifetimeSeconds: DAY }, null, null],
    [{ defaultLifetimeSeconds: DAY }, 90 * DAY, 90 * DAY],
    [{ allowNonExpiring: false }, null, null],
    [{ allowNonExpiring: false, defaultLifetimeSeconds: DAY }, null, 11 * DAY],
    [{ maxLifetimeSeconds: 30 * DAY }, null, 40 * DAY],
    [{ maxLifetimeSeconds: 30 * DAY }, 41 * DAY, 40 * DAY],
    [{ maxLifetimeSeconds: 30 * DAY }, 40 * DAY, 40 * DAY],
    [{ maxLifetimeSeconds: 30 * DAY, defaultLifetimeSeconds: DAY }, 41 * DAY, 11 * DAY],
    // Never longer than before.
    [{ maxLifetimeSeconds: 30 * DAY, defaultLifetimeSeconds: 20 * DAY }, 12 * DAY, 12 * DAY],
  ])('on the tenth day, under %j, turns an expiry of %p into %p', (settings, before, after) => {
    const expiry = expiryAtRotation(policy(settings), life(before), at(10 * DAY));
    expect(expiry).toEqual(after === null ? null : at(after));
  });
});

describe('CIDR blocks', () => {
  const NETWORK = ['203.0.113.0/24', '2001:db8::/32'];

  test.each<[Partial<PolicySettings>, string[], string[], RefusingRule | undefined]>([
    [{}, [], [], undefined],
    [{ requireCidrs: true }, [], [], 'requireCidrs'],
    [{ requireCidrs: true }, ['10.0.0.0/8'], ['10.0.0.0/8'], undefined],
    [{ allowedCidrs: NETWORK }, [], NETWORK, undefined],
    [{ allowedCidrs: NETWORK, requireCidrs: true }, [], NETWORK, undefined],
    [{ allowedCidrs: NETWORK }, ['203.0.113.7/32'], ['203.0.113.7/32'], undefined],
    [{ allowedCidrs: NETWORK }, ['203.0.112.0/23'], ['203.0.112.0/23'], 'allowedCidrs'],
    [
      { allowedCidrs: NETWORK },
      ['203.0.113.7/32', '10.0.0.0/8'],
      ['203.0.113.7/32', '10.0.0.0/8'],
      'allowedCidrs',
    ],
    [{ allowedCidrs: ['::/0'] }, ['203.0.113.0/24'], ['203.0.113.0/24'], 'allowedCidrs'],
  ])('under %j, asked for %j, are %j and break %p', (settings, asked, blocks, rule) => {
    expect(blocksWithin(policy(settings), asked)).toEqual(blocks);
    expect(brokenBlocks(policy(settings), blocks)).toBe(rule);
  });
});

describe('a policy loosens another', () => {
  const STRICT: Partial<PolicySettings> = {
    maxLifetimeSeconds: 90 * DAY,
    defaultLifetimeSeconds: 30 * DAY,
    allowNonExpiring: false,
    maxUnusedSeconds: 30 * DAY,
    maxTokensPerUser: 10,
    allowedCidrs: ['203.0.113.0/24'],
    requireCidrs: true,
    defaultGraceSeconds: 0,
    onReuse: 'revoke',
    onLeak: 'revoke',
  };

  test.each<Partial<PolicySettings>>([
    { maxLifetimeSeconds: 91 * DAY },
    { maxLifetimeSeconds: null },
    { defaultLifetimeSeconds: 31 * DAY },
    // Then it is the maximum.
    { defaultLifetimeSeconds: null },
    { allowNonExpiring: true },
    { maxUnusedSeconds: 31 * DAY },
    { maxUnusedSeconds: null },
    { maxTokensPerUser: 11 },
    { maxTokensPerUser: null },
    { allowedCidrs: [] },
    { allowedCidrs: ['203.0.112.0/23'] },
    { requireCidrs: false },
    { defaultGraceSeconds: 1 },
    { onReuse: 'alert' },
    { onLeak: 'notify' },
  ])('by %j, and the other way round it does not', (change) => {
    expect(loosens(policy({ ...STRICT, ...change }), policy(STRICT))).toBe(true);
    expect(loosens(policy(STRICT), policy({ ...STRICT, ...change }))).toBe(false);
  });

  test('not by being the same, nor by what is no rule', () => {
    expect(loosens(policy(STRICT), policy(STRICT))).toBe(false);
    expect(loosens(policy(), policy())).toBe(false);
  });

  test('also where it is stricter in something else', () => {
    expect(loosens(policy({ ...STRICT, maxTokensPerUser: 1, requireCidrs: false }), policy(STRICT))).toBe(
      true,
    );
  });
});

describe('a refusal', () => {
  test.each<[Partial<PolicySettings>, RefusingRule, string]>([
    [{ allowNonExpiring: false }, 'allowNonExpiring', 'allows no token without an expiry'],
    [{ maxLifetimeSeconds: 90 * DAY }, 'maxLifetimeSeconds', 'allows a token to live for at most 90 days'],
    [{ maxLifetimeSeconds: DAY }, 'maxLifetimeSeconds', 'allows a token to live for at most 1 day'],
    [{ maxLifetimeSeconds: 5_400 }, 'maxLifetimeSeconds', 'allows a token to live for at most 90 minutes'],
    [{ maxLifetimeSeconds: 7_200 }, 'maxLifetimeSeconds', 'allows a token to live for at most 2 hours'],
    [{ maxLifetimeSeconds: 61 }, 'maxLifetimeSeconds', 'allows a token to live for at most 61 seconds'],
    [{ requireCidrs: true }, 'requireCidrs', 'allows no token without CIDR blocks'],
    [{ allowedCidrs: ['10.0.0.0/8'] }, 'allowedCidrs', 'allows tokens within 10.0.0.0/8 alone'],
    [
      { allowedCidrs: ['10.0.0.0/8', '11.0.0.0/8', '12.0.0.0/8', '13.0.0.0/8', '14.0.0.0/8'] },
      'allowedCidrs',
      'allows tokens within 10.0.0.0/8, 11.0.0.0/8, 12.0.0.0/8 and 2 more alone',
    ],
    [{ maxTokensPerUser: 1 }, 'maxTokensPerUser', 'allows a user at most 1 token'],
    [{ maxTokensPerUser: 10 }, 'maxTokensPerUser', 'allows a user at most 10 tokens'],
  ])('under %j by %s says that the policy %s', (settings, rule, sentence) => {
    const message = `The organization's policy ${sentence} (${rule})`;
    expect(policyRefusal(policy(settings), rule)).toMatchObject({
      kind: 'invalid',
      reason: 'policy',
      message,
      fields: [{ path: [rule], rule, message }],
    });
  });
});
