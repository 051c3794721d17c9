import { Injectable } from '@nestjs/common';
import { User } from '../../accounts/user.entity.js';
import {
  manyReferenced,
  preferred,
  ReferencedUsers,
  referenceCondition,
  type UserReference,
} from '../../accounts/user-reference.js';
import { organizationJson, type UserRow, UserRows } from '../../accounts/user-rows.js';
import type { JsonRow } from '../../database/entity-rows.js';
import { type StatementRunner, statementOf, Values } from '../../database/statements.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { allowsAddress } from '../../network/cidr.js';
import { Refusal } from '../../refusal.js';
import { PolicyRows } from '../policy/policy-rows.js';
import type { Policy } from '../policy/policy.entity.js';
import { conditionOf, type TokenCriteria } from '../token-criteria.js';
import { type TokenRow, TokenRows } from '../token-rows.js';
import { Token } from '../token.entity.js';
import type { Authority, Credential } from './authority.js';
import { Powers } from './powers.js';
import { hasTimeLeft } from './session-life.js';

/** The rows that a change rests on, beside those of its actor. */
export interface RowsToLock {
  /** Users (uuids) that must stay as they are until the change commits. */
  users?: readonly string[];
  /** A user whom the request names, for the same. */
  owner?: UserReference | undefined;
  /** Many users whom the request names, by uuid or login, for the same. */
  owners?: readonly UserReference[];
  /** Whether these users are what is changed. */
  changesUsers?: boolean;
  /** Tokens that are changed, and their owners with them; where an `owner` is named, of that one's. */
  tokens?: TokenCriteria;
  /** Whether the policies of these users' organizations are asked: they must stay as they are, too. */
  asksPolicies?: boolean;
  /** The organization (uuid) whose policy is what is changed. */
  changesPolicyOf?: string;
  /** Whether nothing is changed, and an outcome given again: for that a value will do that was retired moments ago. */
  isRepetition?: boolean;
}

/** What the changing transaction has locked and read. */
export interface Admitted {
  /** What the actor may do. */
  powers: Powers;
  /** By uuid, deleted ones too, with their organizations. */
  users: ReadonlyMap<string, User>;
  /** The same, to be found by what the request names; none who is deleted. */
  named: ReferencedUsers;
  /** The tokens that are changed, by uuid, with their digests. */
  tokens: ReadonlyMap<string, Token>;
  /** The policies that were asked for, by the organization's uuid: of each user's organization one. */
  policies: ReadonlyMap<string, Policy>;
}

/** Up to so many users are named one by one. */
const MAX_SCALARS = 3;

type LockedRow =
  | ({ kind: 'user' } & UserRow)
  | { kind: 'policy'; policy: JsonRow }
  | { kind: 'session' }
  | ({ kind: 'target' | 'actor' } & TokenRow);

/**
 * Reads at the write who acts. Between a request and its change a user may be disabled, a token revoked, a password
 * changed: what was true when the request came is not enough.
 *
 * Rows are locked in one order, users by id, then policies by organization, then the session, then tokens by id, so that no two changes wait
 * for each other. The actor's rows are locked shared: its changes run side by side, and what ends the actor waits for them
 * and comes after them. So are policies: what is made under one is there before it is changed, or keeps the new one.
 */
@Injectable()
export class Admission {
  constructor(
    private readonly hashing: HashingService,
    private readonly userRows: UserRows,
    private readonly tokenRows: TokenRows,
    private readonly policyRows: PolicyRows,
  ) {}

  /**
   * Locks the actor's rows and those of the change, in one statement, and says what the actor may do.
   *
   * @throws {Refusal} unauthenticated, forbidden: the actor is not what it was when the request came in.
   */
  async admit(runner: StatementRunner, by: Authority, rows: RowsToLock = {}): Promise<Admitted> {
    const { credential } = by;
    const isKnown = credential.kind !== 'none';
    const users = new Map<string, User>();
    const tokens = new Map<string, Token>();
    const policies = new Map<string, Policy>();
    let actorToken: Token | undefined;
    let hasSession = false;
    for (const row of await this.lock(runner, credential, rows)) {
      if (row.kind === 'user') {
        const user = this.userRows.userOf(row);
        users.set(user.id, user);
        continue;
      }
      if (row.kind === 'policy') {
        const policy = this.policyRows.policyOf(row.policy);
        policies.set(policy.organizationId, policy);
        continue;
      }
      if (row.kind === 'session') {
        hasSession = true;
        continue;
      }
      const token = this.tokenRows.tokenOf(row);
      if (row.kind === 'target') tokens.set(token.id, token);
      else actorToken = token;
    }
    const powers = isKnown
      ? this.powersOf(by, credential, users, { token: actorToken, hasSession }, rows.isRepetition === true)
      : new Powers(by, null, null);
    if (rows.asksPolicies) {
      const missing = [...users.values()].flatMap(({ organizationId: id }) => (policies.has(id) ? [] : [id]));
      const late = missing.length > 0 ? await this.policyRows.lockLate(runner, [...new Set(missing)]) : [];
      for (const policy of late) policies.set(policy.organizationId, policy);
    }
    return { powers, users, named: new ReferencedUsers(users.values()), tokens, policies };
  }

  /**
   * One after the other, as UNION ALL reads its parts: users by id, then the policies of the organizations that these are
   * in when they are locked, then the actor's session, then tokens by id, among which the actor's, shared, has its place. A row that changed while it
   * was waited for is read, and asked for its conditions, again.
   */
  private async lock(
    runner: StatementRunner,
    credential: Credential,
    { users = [], owner, owners, changesUsers = false, tokens, asksPolicies, changesPolicyOf }: RowsToLock,
  ): Promise<LockedRow[]> {
    const values = new Values();
    const { place } = values;
    const actorUuid = 'tokenUuid' in credential ? credential.tokenUuid : null;
    const actor = actorUuid === null ? undefined : place(actorUuid);
    const known = [...users, ...(credential.kind === 'none' ? [] : [credential.userId])];
    const condition = tokens && conditionOf(tokens, place);
    const isOne = !tokens?.ids && !owners;
    // Scalars, where they can be: of an array the planner does not know that it is short, and reads all users.
    const userIds =
      isOne && known.length <= MAX_SCALARS
        ? `ARRAY[${[
            ...known.map((id) => `${place(id)}::uuid`),
            ...(owner ? ['(SELECT id FROM named)'] : []),
            ...(tokens ? ['(SELECT owner_id FROM target)'] : []),
          ].join(', ')}]::uuid[]`
        : [
            `${place(known)}::uuid[]`,
            ...(owner || owners ? ['ARRAY(SELECT id FROM named)'] : []),
            ...(tokens ? ['ARRAY(SELECT owner_id FROM target)'] : []),
          ].join(' || ');
    const ctes = [
      ...(owners ? [`named AS (${manyReferenced(owners, place)})`] : []),
      ...(owner
        ? [
            `named AS (SELECT u.id FROM users u WHERE ${referenceCondition(owner, place)}
              AND u.deleted_at IS NULL ${preferred(owner, place)} LIMIT 1)`,
          ]
        : []),
      ...(condition === undefined
        ? []
        : [
            `target AS MATERIALIZED (SELECT token.id, token.owner_id FROM tokens token WHERE ${condition}
              ${owner ? 'AND token.owner_id = (SELECT id FROM named)' : ''} ${isOne ? 'LIMIT 1' : ''})`,
          ]),
      `locked_users AS MATERIALIZED (SELECT ${this.userRows.columns('u')} FROM users u
        WHERE u.id = ANY (${userIds}) ORDER BY u.id FOR ${changesUsers ? 'UPDATE' : 'SHARE'})`,
    ];
    const parts = [
      `SELECT 'user' AS kind, row_to_json(u) AS "user", ${organizationJson('u')} AS organization,
         NULL::json AS policy, NULL::json AS token, NULL::json AS "lastUse" FROM locked_users u`,
    ];
    const asked =
      changesPolicyOf === undefined
        ? asksPolicies && 'SELECT organization_id FROM locked_users'
        : `SELECT ${place(changesPolicyOf)}::uuid AS organization_id`;
    if (asked) {
      ctes.push(...this.policyRows.locking(asked, { isChanged: changesPolicyOf !== undefined }));
      parts.push(`SELECT 'policy', NULL, NULL, row_to_json(p), NULL, NULL FROM locked_policies p`);
    }
    if (credential.kind === 'session') {
      // Shared, and past who writes when it was used: only its end waits for the change, or comes before it.
      ctes.push(`calling_session AS MATERIALIZED (SELECT s.id FROM sessions s WHERE s.id = ${place(credential.sessionId)}
        AND ${hasTimeLeft('s')} FOR KEY SHARE)`);
      parts.push(`SELECT 'session', NULL, NULL, NULL, NULL, NULL FROM calling_session`);
    }
    const addTokens = (name: string, kind: 'target' | 'actor', where: string, strength: string): void => {
      ctes.push(`${name} AS MATERIALIZED (SELECT ${this.tokenRows.columns('token', { hidden: true })} FROM tokens token
        WHERE ${where} ORDER BY token.id FOR ${strength})`);
      parts.push(
        `SELECT '${kind}', NULL, NULL, NULL, row_to_json(t), ${this.tokenRows.lastUseJson('t')} FROM ${name} t`,
      );
    };
    const isTarget = `token.id = ${isOne ? '(SELECT id FROM target)' : 'ANY (ARRAY(SELECT id FROM target))'}
      AND ${condition}`;
    if (actor === undefined) {
      if (tokens) addTokens('targets', 'target', isTarget, 'UPDATE');
    } else {
      if (tokens) addTokens('targets_before', 'target', `${isTarget} AND token.id <= ${actor}`, 'UPDATE');
      addTokens('actor', 'actor', `token.id = ${actor}`, 'SHARE');
      if (tokens) addTokens('targets_after', 'target', `${isTarget} AND token.id > ${actor}`, 'UPDATE');
    }
    const text = `WITH ${ctes.join(',\n')}\n${parts.join('\nUNION ALL\n')}`;
    return runner.run<LockedRow>(statementOf('lock', text), values.list);
  }

  private powersOf(
    by: Authority,
    credential: Exclude<Credential, { kind: 'none' }>,
    users: ReadonlyMap<string, User>,
    { token, hasSession }: { token: Token | undefined; hasSession: boolean },
    isRepetition: boolean,
  ): Powers {
    const user = users.get(credential.userId);
    const login = user?.login ?? '';
    if (!user || user.deletedAt !== null || user.disabled) {
      throw new Refusal('unauthenticated', { reason: 'ownerDisabled', login });
    }
    if (credential.kind === 'password') {
      if (user.passwordVersion === credential.passwordVersion) return new Powers(by, user, null);
      throw new Refusal('unauthenticated', { reason: 'password', login });
    }
    if (credential.kind === 'session') {
      const { passwordVersion, role } = credential;
      const isSame = user.passwordVersion === passwordVersion && user.role === role;
      if (hasSession && isSame) return new Powers(by, user, null);
      throw new Refusal('unauthenticated', { reason: 'session', login });
    }
    if (credential.kind === 'kept' && credential.tokenUuid === null) return new Powers(by, user, null);
    const status = token?.status() ?? 'unknown';
    if (!token || status !== 'active') {
      throw new Refusal('unauthenticated', { reason: status === 'active' ? 'unknown' : status, login });
    }
    const isGood = credential.kind === 'kept' || (isRepetition && credential.isRetired);
    if (!isGood && !this.isValueOf(token, credential.value)) {
      throw new Refusal('unauthenticated', { reason: 'unknown', login });
    }
    if (!allowsAddress(token.allowedCidrs, by.actor.address ?? undefined)) {
      throw new Refusal('forbidden', { reason: 'address', message: 'Access denied' });
    }
    const lost =
      credential.kind === 'kept' ? credential.scopes.filter((one) => !token.scopes.includes(one)) : [];
    if (lost.length > 0) throw lacksScope(lost);
    const { required: need } = by;
    if (need && by.uncovered(token.scopes, need.dialect, need.scopes).length === need.scopes.length) {
      throw lacksScope(need.scopes);
    }
    return new Powers(by, user, token);
  }

  /** Whether a value is a token's, or the one before it while its grace lasts. The token must be read with digests. */
  isValueOf(token: Token, value: string): boolean {
    const { digest, digestKey, previousDigest, previousDigestKey, previousValidUntil } = token;
    if (this.hashing.matchesToken(value, { digest, keyName: digestKey })) return true;
    if (!previousDigest || !previousDigestKey || !previousValidUntil) return false;
    const isInGrace = previousValidUntil > new Date();
    return (
      isInGrace && this.hashing.matchesToken(value, { digest: previousDigest, keyName: previousDigestKey })
    );
  }
}

/** What is said to a caller whose token covers none of the scopes of which one is needed. */
export function lacksScope(scopes: readonly string[]): Refusal {
  const message = `The token lacks the scope ${scopes.join(' or ')}`;
  return new Refusal('forbidden', { reason: 'scope', message, missing: [...scopes] });
}
