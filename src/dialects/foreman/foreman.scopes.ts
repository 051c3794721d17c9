import { type Permission } from '../../accounts/user.entity.js';
import { PERMISSIONS } from '../../accounts/user.entity.js';
import type { ScopeRules } from '../../protocol/dialect.js';

/** What the scopes of this API begin with. */
export const PREFIX = 'foreman:';
/** The scope of tokens that Foreman's calls issue: they carry their user's whole right there. */
export const WHOLE_RIGHT = `${PREFIX}*`;

/** The scope that stands for a permission. */
export function scopeOf(permission: Permission): string {
  return PREFIX + permission;
}

export const SCOPES: ScopeRules = {
  isKnown: (scope) =>
    scope === WHOLE_RIGHT || PERMISSIONS.some((permission) => scope === scopeOf(permission)),
  covers: (held, needed) => held === WHOLE_RIGHT && needed.startsWith(PREFIX),
  defaults: [WHOLE_RIGHT],
};
