import type { ScopeRules } from '../../protocol/dialect.js';

export const USER_ADMIN = 'user:admin';
export const SUPER_USER = 'super:user';

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
/** Each covers those before it; outside of it no scope covers another: `super:user` is not `user:admin`. */
const REPOSITORY_LADDER = ['repo:read', 'repo:write', 'repo:admin'];

/** No scope covers another outside of the ladder. */
export const SCOPE_RULES: ScopeRules = {
  isKnown: (scope) => SCOPES.includes(scope),
  covers: (held, needed) =>
    REPOSITORY_LADDER.includes(needed) && REPOSITORY_LADDER.indexOf(held) > REPOSITORY_LADDER.indexOf(needed),
  defaults: [USER_ADMIN],
};
