import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { encodeObjectId } from '../../src/accounts/object-id.js';
import { Organization } from '../../src/accounts/organization.entity.js';
import type { Permission, Role } from '../../src/accounts/user.entity.js';
import { User } from '../../src/accounts/user.entity.js';
import { DialectRegistry } from '../../src/protocol/dialect-registry.js';
import { Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

/**
 * Draws callers, owners, tokens and calls over all six APIs, and holds the answers against a model of the table in
 * docs/SECURITY.md, and what is true afterwards against the one sentence behind it: after any accepted call nobody can
 * do, in anybody's name, what they could not do or grant before.
 *
 * The model shares no code with what it is a model of.
 */

const HOUR_MS = 3_600_000;
const RUNS = 400;
const ROLES: Role[] = ['member', 'organizationAdministrator', 'administrator'];
const PERMISSIONS: Permission[] = [
  'create_personal_access_tokens',
  'revoke_personal_access_tokens',
  'edit_users',
];
/** Reaches: from everywhere, from this machine, from a part of it. */
const REACHES = [[], ['127.0.0.0/8'], ['127.0.0.0/16']];

/** What each scope covers, itself left out. `*` covers all. */
const COVERED: Record<string, string[]> = {
  '*': [],
  'patois:*': ['patois:tokens.write', 'patois:users.write'],
  'patois:tokens.write': [],
  'patois:users.write': [],
  'foreman:*': ['foreman:create_personal_access_tokens', 'foreman:revoke_personal_access_tokens'],
  'foreman:create_personal_access_tokens': [],
  'foreman:revoke_personal_access_tokens': [],
  base_user_read_write: ['base_user_read'],
  base_user_read: [],
  OrganizationAPITokenModify: [],
  RuleRead: [],
  'user:admin': [],
  'all.User': ['userApiTokens.*', 'userApiToken.*'],
  'userApiTokens.*': [],
};
const SCOPES_OF: Record<string, string[]> = {
  patois: Object.keys(COVERED),
  foreman: ['foreman:*', 'foreman:create_personal_access_tokens', 'foreman:revoke_personal_access_tokens'],
  yunxiao: ['base_user_read_write', 'base_user_read'],
  panther: ['OrganizationAPITokenModify', 'RuleRead'],
  quay: ['user:admin'],
  losant: ['all.User', 'userApiTokens.*'],
};
const DIALECTS = Object.keys(SCOPES_OF);

// What is drawn.

interface DrawnUser {
  role: Role;
  permissions: Permission[];
  organization: number;
}
interface DrawnToken {
  dialect: string;
  scopes: string[];
  reach: number;
  /** Hours from now; null: never. Those of callers are to come. */
  hours: number | null;
  inactive: boolean;
}
interface DrawnUpdate {
  role?: Role | undefined;
  permissions?: Permission[] | undefined;
  organization?: number | undefined;
  password?: boolean | undefined;
  disabled?: boolean | undefined;
}
type Drawn = {
  caller: DrawnUser & { token: DrawnToken | null };
  /** Null: the caller owns it. */
  owner: (DrawnUser & { disabled: boolean }) | null;
  token: DrawnToken;
  call:
    | { kind: 'issue'; api: string; scopes: string[]; reach: number; hours: number | null }
    | { kind: 'update'; api: string; scopes: string[]; reach: number; hours: number | null; active: boolean }
    | { kind: 'rotate' | 'revoke'; api: string }
    | { kind: 'createUser'; user: DrawnUser; password: boolean }
    | { kind: 'updateUser'; changes: DrawnUpdate }
    | { kind: 'deleteUser' };
};

const drawnUser = fc.record({
  role: fc.constantFrom(...ROLES),
  permissions: fc.subarray(PERMISSIONS),
  organization: fc.nat(1),
});
const hours = fc.constantFrom(null, 1, 2);

function someScopes(dialect: string): fc.Arbitrary<string[]> {
  const scopes = SCOPES_OF[dialect] ?? [];
  return fc.subarray(scopes, { minLength: 1, maxLength: Math.min(3, scopes.length) });
}

const drawnToken: fc.Arbitrary<DrawnToken> = fc.constantFrom(...DIALECTS).chain((dialect) =>
  fc.record({
    dialect: fc.constant(dialect),
    scopes: someScopes(dialect),
    reach: fc.nat(2),
    hours: fc.constantFrom(null, null, 1, 2, -1),
    inactive: fc.boolean(),
  }),
);
/** Callers' tokens hold much: calls that end at a missing scope show nothing of authority. */
const callingToken: fc.Arbitrary<DrawnToken> = fc.record({
  dialect: fc.constant('patois'),
  scopes: fc.oneof(
    fc.constant<string[]>(['*']),
    fc.constant(Object.keys(COVERED).filter((scope) => scope !== '*')),
    fc.subarray(Object.keys(COVERED), { minLength: 3 }),
  ),
  reach: fc.constantFrom(0, 0, 1),
  hours,
  inactive: fc.constant(false),
});
const drawnIssue = fc.constantFrom(...DIALECTS).chain((api) =>
  fc.record({
    kind: fc.constant('issue' as const),
    api: fc.constant(api),
    scopes: someScopes(api),
    reach: fc.nat(2),
    hours,
  }),
);
const drawnUpdate = fc.record({
  kind: fc.constant('update' as const),
  api: fc.constantFrom('patois', 'panther', 'losant'),
  scopes: someScopes('panther'),
  reach: fc.nat(2),
  hours,
  active: fc.boolean(),
});
const drawnUserUpdate = fc.record({
  kind: fc.constant('updateUser' as const),
  changes: fc.record(
    {
      role: fc.constantFrom(...ROLES),
      permissions: fc.subarray(PERMISSIONS),
      organization: fc.nat(1),
      password: fc.constant(true),
      disabled: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
});
const drawnCall: fc.Arbitrary<Drawn['call']> = fc.oneof(
  { weight: 4, arbitrary: drawnIssue },
  { weight: 3, arbitrary: drawnUpdate },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('rotate' as const), api: fc.constantFrom('patois', 'panther') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('revoke' as const), api: fc.constantFrom(...DIALECTS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('createUser' as const),
      user: drawnUser,
      password: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: drawnUserUpdate },
  { weight: 1, arbitrary: fc.constant({ kind: 'deleteUser' as const }) },
);
const drawn: fc.Arbitrary<Drawn> = fc.record({
  caller: fc.record({ ...drawnUserParts(), token: fc.option(callingToken) }),
  owner: fc.option(fc.record({ ...drawnUserParts(), disabled: fc.boolean() })),
  token: drawnToken,
  call: drawnCall,
});

function drawnUserParts(): {
  role: fc.Arbitrary<Role>;
  permissions: fc.Arbitrary<Permission[]>;
  organization: fc.Arbitrary<number>;
} {
  return {
    role: fc.constantFrom(...ROLES),
    permissions: fc.subarray(PERMISSIONS),
    // Mostly the same one: who meets a stranger is refused, whatever else is drawn.
    organization: fc.constantFrom(0, 0, 0, 1),
  };
}

// The world, as the database has it.

interface Credential {
  /** Of a token its digest, of a password its version: another one is another credential. */
  secret: string;
  owner: User;
  scopes: string[];
  reach: string[];
  expiresAt: Date | null;
}
interface World {
  users: Map<string, User>;
  /** All that work now, by whom or what they are. */
  live: Map<string, Credential>;
}

let server: TestServer;
let organizations: Organization[];
beforeAll(async () => {
  server = await TestServer.start();
  organizations = [await server.organization('Default'), await server.organization('Research')];
});
afterAll(() => server.close());

async function readWorld(): Promise<World> {
  const { manager } = server.app.dataSource;
  const all = await manager
    .createQueryBuilder(User, 'user')
    .addSelect('user.passwordDigest')
    .orderBy('user.id')
    .getMany();
  const users = new Map(all.map((user) => [user.id, user]));
  const live = new Map<string, Credential>();
  for (const user of all) {
    if (user.disabled || user.passwordDigest === null) continue;
    const secret = `password ${user.passwordVersion}`;
    live.set(user.id, { secret, owner: user, scopes: ['*'], reach: [], expiresAt: null });
  }
  const tokens = await manager
    .createQueryBuilder(Token, 'token')
    .addSelect('token.digest')
    .orderBy('token.id')
    .getMany();
  for (const token of tokens) {
    const owner = users.get(token.ownerId);
    if (!owner || owner.disabled || token.status() !== 'active') continue;
    const { scopes, allowedCidrs: reach, expiresAt } = token;
    live.set(token.id, { secret: token.digest.toString('hex'), owner, scopes, reach, expiresAt });
  }
  return { users, live };
}

// The model.

function covers(held: string[], needed: string): boolean {
  return held.some((one) => one === '*' || one === needed || (COVERED[one] ?? []).includes(needed));
}

function isWithin(inner: string[], outer: string[]): boolean {
  if (outer.length === 0) return true;
  if (inner.length === 0) return false;
  return inner.every(
    (block) => outer.includes(block) || (outer.includes('127.0.0.0/8') && block.startsWith('127.')),
  );
}

function livesNoLonger(one: Date | null, other: Date | null): boolean {
  return other === null || (one !== null && one <= other);
}

function rank({ role }: Pick<User, 'role'>): number {
  return ROLES.indexOf(role);
}

function administers(caller: User, organizationId: string): boolean {
  return rank(caller) === 2 || (rank(caller) === 1 && caller.organizationId === organizationId);
}

type Rights = Pick<User, 'id' | 'role' | 'permissions' | 'organizationId'>;

function mayActFor(caller: User, owner: Rights): boolean {
  if (caller.id === owner.id || rank(caller) === 2) return true;
  const holdsAll = owner.permissions.every((permission) => caller.permissions.includes(permission));
  return administers(caller, owner.organizationId) && rank(owner) < 2 && holdsAll;
}

/** Who calls: the user, and what the credential holds. */
interface Caller {
  user: User;
  token: Token | null;
  credential: Omit<Credential, 'secret'>;
}

function holds({ credential }: Caller, other: Omit<Credential, 'owner' | 'secret'>): boolean {
  return (
    other.scopes.every((scope) => covers(credential.scopes, scope)) &&
    isWithin(other.reach, credential.reach) &&
    livesNoLonger(other.expiresAt, credential.expiresAt)
  );
}

const isUnbounded = ({ credential }: Caller): boolean =>
  credential.reach.length === 0 && credential.expiresAt === null;
const holdsEverything = (caller: Caller): boolean =>
  isUnbounded(caller) && caller.credential.scopes.includes('*');

/** The table: whether a call is accepted. */
function isAccepted(caller: Caller, owner: User, target: Token, call: Drawn['call']): boolean {
  const { user, credential } = caller;
  const isOwn = user.id === owner.id;
  const can = (scope: string): boolean => covers(credential.scopes, scope);
  const sees = isOwn || administers(user, owner.organizationId);
  const may = (permission: Permission): boolean => rank(user) === 2 || user.permissions.includes(permission);
  switch (call.kind) {
    case 'issue': {
      const scopes = scopesIssued(caller, call);
      const isDated =
        ['patois', 'foreman', 'yunxiao', 'quay', 'losant'].includes(call.api) && call.hours !== null;
      const asked = isDated || call.api === 'yunxiao' ? inHours(call.hours ?? 2) : null;
      const expiresAt = asked ?? credential.expiresAt;
      const reach = ['patois', 'panther'].includes(call.api) ? (REACHES[call.reach] ?? []) : [];
      const isOpen = {
        patois: can('patois:tokens.write') && sees,
        foreman:
          can('foreman:create_personal_access_tokens') &&
          (isOwn || (sees && may('create_personal_access_tokens'))),
        yunxiao: can('base_user_read_write') && rank(user) > 0 && administers(user, owner.organizationId),
        panther: can('OrganizationAPITokenModify'),
        quay: can('user:admin'),
        losant: can('userApiTokens.*'),
      }[call.api];
      const isOwnersOnly = ['panther', 'quay', 'losant'].includes(call.api);
      return (
        Boolean(isOpen) &&
        (isOwnersOnly || mayActFor(user, owner)) &&
        holds(caller, { scopes, reach, expiresAt })
      );
    }
    case 'update': {
      const isDialects = call.api === 'patois' || target.dialect === call.api;
      const inPanther = isOwn
        ? user.organizationId === owner.organizationId
        : user.organizationId === owner.organizationId && rank(user) > 0;
      const isOpen = {
        patois: can('patois:tokens.write') && sees,
        panther: can('OrganizationAPITokenModify') && inPanther,
        losant: can('userApiToken.*') && isOwn,
      }[call.api];
      const before = { scopes: target.scopes, reach: target.allowedCidrs, expiresAt: target.expiresAt };
      const after = {
        patois: {
          reach: REACHES[call.reach] ?? [],
          expiresAt: call.hours === null ? null : inHours(call.hours),
        },
        panther: { scopes: call.scopes, reach: REACHES[call.reach] ?? [] },
        losant: {},
      }[call.api];
      const covered = holds(caller, before) && holds(caller, { ...before, ...after });
      return isDialects && Boolean(isOpen) && mayActFor(user, owner) && covered;
    }
    case 'rotate': {
      const { scopes, allowedCidrs: reach, expiresAt } = target;
      const inPanther = user.organizationId === owner.organizationId && (isOwn || rank(user) > 0);
      const isOpen =
        call.api === 'patois'
          ? can('patois:tokens.write') && sees
          : target.dialect === 'panther' && can('OrganizationAPITokenModify') && inPanther;
      return isOpen && mayActFor(user, owner) && holds(caller, { scopes, reach, expiresAt });
    }
    case 'revoke': {
      const isDialects = ['patois', 'yunxiao'].includes(call.api) || target.dialect === call.api;
      const isOpen = {
        patois: can('patois:tokens.write') && sees,
        foreman:
          can('foreman:revoke_personal_access_tokens') &&
          (isOwn ||
            ((rank(user) === 2 || user.organizationId === owner.organizationId) &&
              may('revoke_personal_access_tokens') &&
              may('edit_users') &&
              // The permission to edit users is asked of the token as well, where all of Foreman covers it.
              (credential.scopes.includes('*') || credential.scopes.includes('foreman:*')))),
        yunxiao: can('base_user_read_write') && administers(user, owner.organizationId) && rank(user) > 0,
        panther:
          can('OrganizationAPITokenModify') &&
          user.organizationId === owner.organizationId &&
          (isOwn || rank(user) > 0),
        quay: can('user:admin') && isOwn,
        losant: can('userApiToken.*') && isOwn,
      }[call.api];
      return isDialects && Boolean(isOpen);
    }
    case 'createUser': {
      const { role, permissions, organization } = call.user;
      const place = organizations[organization]?.id ?? '';
      const isMore = role !== 'member' || permissions.length > 0;
      return (
        can('patois:users.write') &&
        rank(user) > 0 &&
        administers(user, place) &&
        ROLES.indexOf(role) <= rank(user) &&
        (rank(user) === 2 || permissions.every((one) => user.permissions.includes(one))) &&
        (!isMore || holdsEverything(caller)) &&
        (!call.password || isUnbounded(caller))
      );
    }
    case 'updateUser': {
      const { changes } = call;
      const after: Rights & { disabled: boolean } = {
        id: owner.id,
        role: changes.role ?? owner.role,
        permissions: changes.permissions ?? owner.permissions,
        organizationId: organizations[changes.organization ?? -1]?.id ?? owner.organizationId,
        disabled: changes.disabled ?? owner.disabled,
      };
      const added = after.permissions.filter((one) => !owner.permissions.includes(one));
      const isRaised = rank(after) > rank(owner);
      const isGiven =
        changes.password === true ||
        (owner.disabled && !after.disabled) ||
        after.organizationId !== owner.organizationId;
      return (
        can('patois:users.write') &&
        rank(user) > 0 &&
        administers(user, owner.organizationId) &&
        administers(user, after.organizationId) &&
        rank(owner) <= Math.max(1, rank(user)) &&
        (!isRaised || rank(after) <= rank(user)) &&
        (rank(user) === 2 || added.every((one) => user.permissions.includes(one))) &&
        (!isGiven || (mayActFor(user, owner) && mayActFor(user, after))) &&
        (!(isRaised || added.length > 0 || isGiven) || holdsEverything(caller))
      );
    }
    case 'deleteUser':
      return (
        can('patois:users.write') &&
        rank(user) > 0 &&
        administers(user, owner.organizationId) &&
        rank(owner) <= Math.max(1, rank(user))
      );
  }
}

function scopesIssued({ credential }: Caller, call: { api: string; scopes: string[] }): string[] {
  if (call.api === 'quay') return ['user:admin'];
  if (call.api !== 'foreman') return call.scopes;
  return covers(credential.scopes, 'foreman:*') ? ['foreman:*'] : [];
}

/** The sentence: what works now and did not before, or not so far, is what the caller held or could give before. */
function gainedByNobody(caller: Caller, before: World, after: World): Credential[] {
  return [...after.live].flatMap(([id, now]) => {
    const was = before.live.get(id);
    const isTheSame =
      was !== undefined &&
      was.secret === now.secret &&
      now.scopes.every((scope) => covers(was.scopes, scope)) &&
      isWithin(now.reach, was.reach) &&
      livesNoLonger(now.expiresAt, was.expiresAt) &&
      rank(now.owner) <= rank(was.owner) &&
      now.owner.organizationId === was.owner.organizationId &&
      now.owner.permissions.every((one) => was.owner.permissions.includes(one));
    return isTheSame || mayGive(caller, now, was, before) ? [] : [now];
  });
}

/** Whether the caller could give, or do, before the call what a credential can now. */
function mayGive(caller: Caller, now: Credential, was: Credential | undefined, before: World): boolean {
  const ownerBefore = before.users.get(now.owner.id);
  const isNewMember = !ownerBefore && now.owner.role === 'member' && now.owner.permissions.length === 0;
  // To make members who can log in is what this scope is, where it holds for ever and everywhere.
  const makesMembers = covers(caller.credential.scopes, 'patois:users.write') && isUnbounded(caller);
  if (isNewMember && makesMembers && administers(caller.user, now.owner.organizationId)) return true;
  const acts = mayActFor(caller.user, now.owner) && (!ownerBefore || mayActFor(caller.user, ownerBefore));
  // Who is only raised, up to what the caller is, acts by the own secret: the caller need not have had it.
  const isRaised = ownerBefore !== undefined && was?.secret === now.secret;
  const raises =
    isRaised && rank(now.owner) <= rank(caller.user) && administers(caller.user, now.owner.organizationId);
  return holds(caller, now) && (acts || raises);
}

// The calls.

const startedAt = Date.now();
function inHours(count: number): Date {
  return new Date(startedAt + count * HOUR_MS);
}

async function perform(
  caller: Caller & { headers: Record<string, string>; key: Record<string, string> },
  owner: User,
  target: Token,
  call: Drawn['call'],
): Promise<Received> {
  const { headers, key } = caller;
  const send = (method: string, path: string, body?: unknown, sent = headers): Promise<Received> =>
    server.send(method, path, { headers: sent, ...(body === undefined ? {} : { body }) });
  const external = server.app.nest.get(DialectRegistry, { strict: false }).of(target).externalId(target);
  const name = `n${randomBytes(4).toString('hex')}`;
  switch (call.kind) {
    case 'issue': {
      const { scopes } = call;
      const expiresAt = call.hours === null ? undefined : inHours(call.hours).toISOString();
      const allowedCidrs = REACHES[call.reach];
      switch (call.api) {
        case 'patois':
          return send('POST', '/patois/v1/tokens', {
            dialect: 'patois',
            owner: owner.id,
            name,
            scopes,
            allowedCidrs,
            expiresAt,
          });
        case 'foreman':
          return send('POST', `/api/users/${owner.numericId}/personal_access_tokens`, {
            name,
            expires_at: expiresAt,
          });
        case 'yunxiao': {
          const expiredAt = expiresAt ?? inHours(2).toISOString();
          const body = { userId: owner.id, name, permissions: scopes, expiredAt };
          return send('POST', '/oapi/v1/platform/users/admin/personalAccessTokens', body);
        }
        case 'panther':
          return send(
            'POST',
            '/api-tokens',
            { name, permissions: scopes, allowedCIDRBlocks: allowedCidrs },
            key,
          );
        case 'quay':
          return send('POST', '/api/v1/user/apptoken', { title: name, expiration: expiresAt });
        default:
          return send('POST', '/me/tokens', { name, scope: scopes, expirationDate: expiresAt });
      }
    }
    case 'update':
      switch (call.api) {
        case 'patois': {
          const expiresAt = call.hours === null ? null : inHours(call.hours).toISOString();
          const status = call.active ? 'active' : 'inactive';
          const body = { name, allowedCidrs: REACHES[call.reach], expiresAt, status };
          return send('PATCH', `/patois/v1/tokens/${target.tokenId}`, body);
        }
        case 'panther': {
          const body = { name, permissions: call.scopes, allowedCIDRBlocks: REACHES[call.reach] };
          return send('POST', `/api-tokens/${external}`, body, key);
        }
        default:
          return send('PATCH', `/me/tokens/${encodeObjectId(target.createdAt, target.id)}`, {
            name,
            status: call.active ? 'active' : 'inactive',
          });
      }
    case 'rotate':
      return call.api === 'patois'
        ? send('POST', `/patois/v1/tokens/${target.tokenId}/rotate`)
        : send('POST', `/api-tokens/${external}/rotate`, undefined, key);
    case 'revoke': {
      const path = {
        patois: `/patois/v1/tokens/${target.tokenId}`,
        foreman: `/api/users/${owner.numericId}/personal_access_tokens/${target.numericId}`,
        yunxiao: `/oapi/v1/platform/users/admin/personalAccessTokens/${target.tokenId}`,
        panther: `/api-tokens/${external}`,
        quay: `/api/v1/user/apptoken/${target.id}`,
        losant: `/me/tokens/${encodeObjectId(target.createdAt, target.id)}`,
      }[call.api];
      return send('DELETE', path ?? '', undefined, call.api === 'panther' ? key : headers);
    }
    case 'createUser': {
      const { role, permissions, organization } = call.user;
      const password = call.password ? { password: 'a new password' } : {};
      const place = organizations[organization]?.name;
      return send('POST', '/patois/v1/users', {
        login: name,
        role,
        permissions,
        organization: place,
        ...password,
      });
    }
    case 'updateUser': {
      const { organization, password, ...rest } = call.changes;
      const body = {
        ...rest,
        ...(organization === undefined ? {} : { organization: organizations[organization]?.name }),
        ...(password ? { password: 'another password' } : {}),
      };
      return send('PATCH', `/patois/v1/users/${owner.id}`, body);
    }
    case 'deleteUser':
      return send('DELETE', `/patois/v1/users/${owner.id}`);
  }
}

async function makeUser({ role, permissions, organization }: DrawnUser): Promise<TestUser> {
  const organizationId = organizations[organization]?.id ?? '';
  return server.makeUser({ role, permissions, organizationId });
}

async function makeToken(owner: User, token: DrawnToken): Promise<{ token: Token; value: string }> {
  const { dialect, scopes, inactive } = token;
  const expiresAt = token.hours === null ? null : inHours(token.hours);
  const spec = { dialect, ownerId: owner.id, scopes, inactive, expiresAt };
  return server.issue({ ...spec, allowedCidrs: REACHES[token.reach] ?? [] });
}

describe('over all six APIs', () => {
  test('a call is accepted where the table says so, and then nobody can do what they could not do or grant', async () => {
    const seen = { accepted: 0, refused: 0 };
    const property = fc.asyncProperty(drawn, async ({ caller: who, owner: whose, token, call }) => {
      // A small world is read quickly.
      await server.app.dataSource.query(`DELETE FROM tokens`);
      await server.app.dataSource.query(`DELETE FROM users WHERE login <> 'admin'`);
      const by = await makeUser(who);
      const held = who.token && (await makeToken(by.user, who.token));
      const owned = whose ? (await makeUser(whose)).user : by.user;
      if (whose?.disabled) {
        const { manager } = server.app.dataSource;
        await manager.update(User, { id: owned.id }, { disabled: true });
      }
      const target = (await makeToken(owned, token)).token;
      const before = await readWorld();
      const user = before.users.get(by.user.id) as User;
      const owner = before.users.get(owned.id) as User;
      const credential = held
        ? {
            owner: user,
            scopes: held.token.scopes,
            reach: held.token.allowedCidrs,
            expiresAt: held.token.expiresAt,
          }
        : { owner: user, scopes: ['*'], reach: [], expiresAt: null };
      const headers = held ? bearer(held.value) : by.byPassword;
      const key: Record<string, string> = held ? { 'x-api-key': held.value } : by.byPassword;
      const caller = { user, token: held?.token ?? null, credential, headers, key };
      const { status, text } = await perform(caller, owner, target, call);
      const accepted = isAccepted(caller, owner, target, call);
      expect({ isAccepted: status < 300, text: status < 300 === accepted ? '' : text }).toEqual({
        isAccepted: accepted,
        text: '',
      });
      const after = await readWorld();
      const changed = JSON.stringify([...after.live]) !== JSON.stringify([...before.live]);
      expect({ refusedAndChanged: !accepted && changed }).toEqual({ refusedAndChanged: false });
      expect(gainedByNobody(caller, before, after)).toEqual([]);
      seen[accepted ? 'accepted' : 'refused'] += 1;
    });
    // A smaller example of a failure is not worth the minutes that it takes: every part of a draw is small.
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    // Draws that are nearly all refused, or nearly all accepted, would show little.
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(RUNS / 10);
  }, 300_000);
});
