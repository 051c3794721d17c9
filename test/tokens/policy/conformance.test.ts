import { describe, expect, test } from '@jest/globals';
import { conforming } from '../../../src/tokens/policy/conformance.js';
import { brokenBlocks, brokenLifetime } from '../../../src/tokens/policy/policy.js';
import { DEFAULT_POLICY, type PolicySettings } from '../../../src/tokens/policy/policy.entity.js';
import { LastUse, Token } from '../../../src/tokens/token.entity.js';

const NOW = new Date('2031-05-06T07:08:09.000Z');
const DAY = 86_400;
const ago = (days: number): Date => new Date(NOW.getTime() - days * DAY * 1000);
const ahead = (days: number): Date => ago(-days);

function tokenOf(spec: Partial<Token> & { usedAt?: Date }): Token {
  const { usedAt = null, ...rest } = spec;
  return Object.assign(
    new Token(),
    { createdAt: ago(10), rotatedAt: null, expiresAt: null, allowedCidrs: [] },
    rest,
    { lastUse: Object.assign(new LastUse(), { usedAt }) },
  );
}

function outcome(policy: Partial<PolicySettings>, token: Token): ReturnType<typeof conforming> {
  return conforming({ ...DEFAULT_POLICY, ...policy }, token, { now: NOW, usedUntil: NOW });
}

describe('a token', () => {
  test.each<[string, Partial<PolicySettings>, Parameters<typeof tokenOf>[0], ReturnType<typeof conforming>]>([
    ['that keeps the policy stays', { maxLifetimeSeconds: 30 * DAY }, { expiresAt: ahead(20) }, undefined],
    [
      'that lives too long is shortened',
      { maxLifetimeSeconds: 30 * DAY },
      { expiresAt: ahead(21) },
      { changes: { expiresAt: ahead(20) } },
    ],
    [
      'without an expiry gets the longest',
      { maxLifetimeSeconds: 30 * DAY },
      {},
      { changes: { expiresAt: ahead(20) } },
    ],
    [
      'counts from its last rotation',
      { maxLifetimeSeconds: 30 * DAY },
      { rotatedAt: ago(1) },
      { changes: { expiresAt: ahead(29) } },
    ],
    ['that is older than it may become is revoked', { maxLifetimeSeconds: 10 * DAY }, {}, 'revoke'],
    [
      'that needs an expiry gets the default',
      { allowNonExpiring: false, defaultLifetimeSeconds: DAY },
      {},
      { changes: { expiresAt: ahead(1) } },
    ],
    ['that needs one, where there is none to give, is revoked', { allowNonExpiring: false }, {}, 'revoke'],
    [
      'without blocks gets those of the policy',
      { allowedCidrs: ['192.0.2.0/24'] },
      {},
      { changes: { allowedCidrs: ['192.0.2.0/24'] } },
    ],
    [
      'that reaches further is cut',
      { allowedCidrs: ['192.0.2.0/24', '2001:db8::/32'] },
      { allowedCidrs: ['192.0.0.0/16', '192.0.2.7/32', '10.0.0.0/8'] },
      { changes: { allowedCidrs: ['192.0.2.0/24', '192.0.2.7/32'] } },
    ],
    [
      'that reaches elsewhere alone is revoked',
      { allowedCidrs: ['192.0.2.0/24'] },
      { allowedCidrs: ['10.0.0.0/8'] },
      'revoke',
    ],
    ['that needs blocks, where there are none to give, is revoked', { requireCidrs: true }, {}, 'revoke'],
    ['that was never used since is revoked', { maxUnusedSeconds: 10 * DAY }, {}, 'revoke'],
    ['that was used in time stays', { maxUnusedSeconds: 10 * DAY }, { usedAt: ago(9) }, undefined],
    ['that was used too long ago is revoked', { maxUnusedSeconds: 9 * DAY }, { usedAt: ago(9) }, 'revoke'],
  ])('%s', (_, policy, spec, expected) => {
    expect(outcome(policy, tokenOf(spec))).toEqual(expected);
  });

  test('that is changed keeps the policy then', () => {
    const policy = {
      ...DEFAULT_POLICY,
      maxLifetimeSeconds: 30 * DAY,
      requireCidrs: true,
      allowedCidrs: ['192.0.2.0/24'],
    };
    const token = tokenOf({ allowedCidrs: ['192.0.0.0/16'] });
    const needed = conforming(policy, token, { now: NOW, usedUntil: NOW });
    const after = Object.assign(new Token(), token, needed === 'revoke' ? {} : needed?.changes);
    expect([brokenLifetime(policy, after), brokenBlocks(policy, after.allowedCidrs)]).toEqual([
      undefined,
      undefined,
    ]);
    expect(conforming(policy, after, { now: NOW, usedUntil: NOW })).toBeUndefined();
  });
});
