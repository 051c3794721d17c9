import type { ScopeRules } from '../../protocol/dialect.js';

/** The form of a permission's name; the set is open, and unknown names are kept. */
export const PERMISSION = /^[a-zA-Z]+_[a-zA-Z]+(_[a-zA-Z]+)*_(read|read_write)$/;

export const SCOPES: ScopeRules = {
  isKnown: (scope) => PERMISSION.test(scope),
  covers: (held, needed) => needed.endsWith('_read') && held === `${needed}_write`,
};
