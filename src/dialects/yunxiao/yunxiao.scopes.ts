import type { ScopeRules } from '../../protocol/dialect.js';

/**
 * The form of a permission's name. The known names are published; that unknown ones of this form are kept was
 * decided here: https://help.aliyun.com/zh/lingma/developer-reference/enterprise-dedicated-edition
 */
export const PERMISSION = /^[a-zA-Z]+_[a-zA-Z]+(_[a-zA-Z]+)*_(read|read_write)$/;

export const SCOPES: ScopeRules = {
  // Whatever is of the form.
  vocabulary: [],
  isKnown: (scope) => PERMISSION.test(scope),
  // Published as "read-write" beside "read-only" of the same resource (same page).
  covers: (held, needed) => needed.endsWith('_read') && held === `${needed}_write`,
};
