import { type Permission } from '../../accounts/user.entity.js';
import { PERMISSIONS } from '../../accounts/user.entity.js';
import type { ScopeRules } from '../../protocol/dialect.js';

/** The prefix of the scopes of this API: Foreman's tokens have none, so they were decided here. */
export const PREFIX = 'foreman:';
/**
 * The scope of the tokens that this API issues. In Foreman a token has all rights of its user
 * (`authenticate_user`):
 * https://github.com/theforeman/foreman/blob/develop/app/models/personal_access_token.rb
 */
export const WHOLE_RIGHT = `${PREFIX}*`;

/**
 * The scope that stands for a permission. The names of the permissions are those of
 * https://github.com/theforeman/foreman/blob/develop/config/initializers/f_foreman_permissions.rb
 */
export function scopeOf(permission: Permission): string {
  return PREFIX + permission;
}

const VOCABULARY = [WHOLE_RIGHT, ...PERMISSIONS.map(scopeOf)];

export const SCOPES: ScopeRules = {
  vocabulary: VOCABULARY,
  isKnown: (scope) => VOCABULARY.includes(scope),
  covers: (held, needed) => held === WHOLE_RIGHT && needed.startsWith(PREFIX),
  defaults: [WHOLE_RIGHT],
};
