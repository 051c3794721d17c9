import type { ScopeRules } from '../../protocol/dialect.js';

/**
 * The form of a permission's name. The known names are published; that unknown ones of this form are kept was
 * decided here: https://help.aliyun.com/zh/lingma/developer-reference/enterprise-dedicated-edition
 */
export const PERMISSION = /^[a-zA-Z]+_[a-zA-Z]+(_[a-zA-Z]+)*_(read|read_write)$/;

/** The resources whose permissions are published, by the product that the names begin with (same page). */
const PUBLISHED: Record<string, string> = {
  base: 'user sys_dept organization orgmember orgdepartment orgrole orggroup auditlog license',
  lingma: 'developerUsage departmentUsage developerMember chat feedback knowledgeBase kbMember kbFile',
};

const SUGGESTIONS = Object.entries(PUBLISHED).flatMap(([product, resources]) =>
  resources
    .split(' ')
    .flatMap((resource) => ['read', 'read_write'].map((right) => `${product}_${resource}_${right}`)),
);

export const SCOPES: ScopeRules = {
  // Whatever is of the form.
  vocabulary: [],
  pattern: PERMISSION,
  suggestions: SUGGESTIONS,
  isKnown: (scope) => PERMISSION.test(scope),
  // Published as "read-write" beside "read-only" of the same resource (same page).
  covers: (held, needed) => needed.endsWith('_read') && held === `${needed}_write`,
};
