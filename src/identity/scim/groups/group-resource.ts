import type { Group } from '../../../accounts/group.entity.js';
import { isUuid } from '../../../database/uuid.js';
import { isPrintable } from '../../../http/validation/fields.js';
import { type Attributes, isObject, normalizeOne, valueOf } from '../attributes.js';
import type { Operation } from '../patch.js';
import { refuseInput } from '../refusals.js';
import { GROUP_SCHEMA, GROUP_TYPE } from '../schemas.js';
import { externalIdOf } from '../users/user-resource.js';

const MAX_NAME = 255;
/** Of one request; the JSON of a body has no longer lists. */
const MAX_MEMBERS_OF_REQUEST = 2_000;

/** A user in a group. */
export interface Member {
  id: string;
  name: string;
}

/** What is to become of the members: first all of them go, or none; then some go, and some come. */
export interface MemberChanges {
  isCleared: boolean;
  /** Ids of users. */
  added: ReadonlySet<string>;
  removed: ReadonlySet<string>;
}

/** What is to become of a group. */
export interface GroupChanges {
  displayName?: string;
  externalId?: string | null;
  members: MemberChanges;
}

/** A group as a resource; members that are not asked for are undefined. */
export function groupResource(
  group: Group,
  members: readonly Member[] | undefined,
  base: string,
): Attributes {
  return {
    schemas: [GROUP_SCHEMA],
    id: group.id,
    ...(group.externalId === null ? {} : { externalId: group.externalId }),
    displayName: group.displayName,
    ...(members
      ? {
          members: members.map(({ id, name }) => ({
            value: id,
            $ref: `${base}/Users/${id}`,
            display: name,
            type: 'User',
          })),
        }
      : {}),
    meta: {
      resourceType: 'Group',
      created: group.createdAt.toISOString(),
      lastModified: group.updatedAt.toISOString(),
      location: `${base}/Groups/${group.id}`,
    },
  };
}

/**
 * What a whole resource makes of a group: members that it does not name are none.
 *
 * @throws {Refusal} invalidValue, tooMany.
 */
export function wholeGroup(sent: Attributes): Required<GroupChanges> {
  const added = new Set(memberIds(valueOf(sent, 'members')));
  return {
    displayName: displayNameOf(valueOf(sent, 'displayName')),
    externalId: externalIdOf(valueOf(sent, 'externalId')),
    members: { isCleared: true, added, removed: new Set() },
  };
}

/**
 * What the operations of a PATCH make of a group, one after the other.
 *
 * @throws {Refusal} invalidValue, invalidFilter, tooMany.
 */
export function patchedGroup(operations: readonly Operation[]): GroupChanges {
  const changes: Omit<GroupChanges, 'members'> = {};
  const members = new MemberList();
  for (const { op, target, value } of operations) {
    switch (target.attribute) {
      case 'displayName':
        changes.displayName = displayNameOf(op === 'remove' ? undefined : value);
        break;
      case 'externalId':
        changes.externalId = op === 'remove' ? null : externalIdOf(value);
        break;
      case 'members':
        members.apply({ op, target, value });
        break;
      // What else a group has is not kept.
    }
  }
  return { ...changes, members };
}

class MemberList implements MemberChanges {
  isCleared = false;
  readonly added = new Set<string>();
  readonly removed = new Set<string>();

  apply({ op, target: { filter }, value }: Operation): void {
    const ids = filter ? idsOf(filter) : memberIds(value);
    // A list to remove that is empty removes nothing, and no list removes all.
    if (op === 'replace' || (op === 'remove' && !filter && (value === undefined || value === null))) {
      this.isCleared = true;
      this.added.clear();
      this.removed.clear();
    }
    const [from, to] = op === 'remove' ? [this.added, this.removed] : [this.removed, this.added];
    for (const id of ids) {
      from.delete(id);
      to.add(id);
    }
    if (this.added.size > MAX_MEMBERS_OF_REQUEST || this.removed.size > MAX_MEMBERS_OF_REQUEST) {
      throw refuseTooMany();
    }
  }
}

/** `members[value eq "…"]`, or several of them with `or`. */
function idsOf(filter: NonNullable<Operation['target']['filter']>): string[] {
  if (filter.op === 'or') return filter.filters.flatMap(idsOf);
  if (filter.op === 'eq' && filter.attrPath === 'value' && typeof filter.compValue === 'string') {
    return [idOf(filter.compValue)];
  }
  throw refuseInput('invalidFilter', 'Members are found by value eq alone', ['path']);
}

function memberIds(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (list.length > MAX_MEMBERS_OF_REQUEST) throw refuseTooMany();
  const definition = GROUP_TYPE.core.attributes.find(({ name }) => name === 'members');
  return list.map((one) => {
    const member = definition && normalizeOne(one, definition);
    return idOf(isObject(member) ? member['value'] : undefined);
  });
}

function idOf(value: unknown): string {
  if (typeof value === 'string' && isUuid(value)) return value.toLowerCase();
  throw refuseInput('invalidValue', 'A member must be the id of a user', ['members']);
}

function displayNameOf(value: unknown): string {
  const name = typeof value === 'string' ? value.trim() : '';
  if (isPrintable(name, MAX_NAME)) return name;
  const message = `displayName must be 1 to ${MAX_NAME} printable characters`;
  throw refuseInput('invalidValue', message, ['displayName']);
}

function refuseTooMany(): ReturnType<typeof refuseInput> {
  return refuseInput('tooMany', `A request names ${MAX_MEMBERS_OF_REQUEST} members at most`, ['members']);
}
