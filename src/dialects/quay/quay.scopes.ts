import type { ScopeRules } from '../../protocol/dialect.js';

export const USER_ADMIN = 'user:admin';
export const SUPER_USER = 'super:user';

// `ALL_SCOPES` in https://github.com/quay/quay/blob/master/auth/scopes.py
const SCOPES = [
  'repo:read',
  'repo:write',
  'repo:admin',
  'repo:create',
  'user:read',
  USER_ADMIN,
  'org:admin',
  SUPER_USER,
];
/** Each covers those before it. */
const REPOSITORY_LADDER = ['repo:read', 'repo:write', 'repo:admin'];

/**
 * Outside the ladder of repository scopes no scope covers another; `super:user` does not cover `user:admin`:
 * `IMPLIED_SCOPES` in https://github.com/quay/quay/blob/master/auth/scopes.py
 */
export const SCOPE_RULES: ScopeRules = {
  vocabulary: SCOPES,
  isKnown: (scope) => SCOPES.includes(scope),
  covers: (held, needed) =>
    REPOSITORY_LADDER.includes(needed) && REPOSITORY_LADDER.indexOf(held) > REPOSITORY_LADDER.indexOf(needed),
  // Decided here (docs/dialects/quay.md): in Quay an app token has no scopes and cannot call the API.
  defaults: [USER_ADMIN],
};
