import type { FilterAttribute, FilterAttributes } from '../filter.js';

/** What groups can be found by, on the alias `grp` of a query of TypeORM's. */
export const GROUP_FILTER: FilterAttributes = new Map<string, FilterAttribute>([
  ['id', { kind: 'uuid', sql: 'grp.id' }],
  ['displayname', { kind: 'text', sql: 'grp.displayName' }],
  ['externalid', { kind: 'text', sql: 'grp.externalId', isCaseExact: true }],
  ['meta.created', { kind: 'time', sql: 'grp.createdAt' }],
  ['meta.lastmodified', { kind: 'time', sql: 'grp.updatedAt' }],
  [
    'members',
    {
      kind: 'list',
      parts: new Map([['value', { kind: 'uuid', sql: 'member.user_id' }]]),
      exists: (condition) =>
        `EXISTS (SELECT FROM group_members member WHERE member.group_id = grp.id AND ${condition})`,
    },
  ],
]);
