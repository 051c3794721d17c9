import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { User } from '../../accounts/user.entity.js';
import { Listings } from '../../database/listings.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import { NamedValues, type Place, Values } from '../../database/statements.js';
import { Refusal } from '../../refusal.js';
import { Semaphore } from '../../semaphore.js';
import { filterCondition, type TokenFilter } from './token-filter.js';

/** An owner's tokens of one dialect, counted. */
export interface OwnedTokens {
  dialect: string;
  count: number;
  /** Null: none was ever used. */
  lastUsedAt: Date | null;
  /** The scopes of all of them, each once. */
  scopes: string[];
}

/** A user, with the organization, and what the user owns. */
export interface TokenOwner {
  user: User;
  tokens: OwnedTokens[];
}

/** Of an owner with more scopes than any API has, `*` and the first. */
const MAX_SCOPES_OF_AN_OWNER = 1_000;
/** Each counts all tokens of a page of owners. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 20;
const MAX_WAIT_MS = 10_000;

/**
 * Users and the tokens that they own. A page of owners comes first, each asked for one such token; only theirs are counted.
 */
@Injectable()
export class TokenOwners {
  private readonly turns = new Semaphore(MAX_AT_ONCE, MAX_WAITING, tooMany, MAX_WAIT_MS);

  constructor(private readonly listings: Listings) {}

  /**
   * One page of the owners, newest first, of tokens that a filter means; where it names neither a status nor `live`, of live ones: those that
   * are neither revoked nor expired. Users who are deleted own none.
   *
   * @param page.users uuids; only these users are in the list.
   * @param line in which the caller waits for a turn.
   * @throws {Refusal} unavailable, when too many wait already.
   */
  async page(
    filter: TokenFilter,
    {
      cursor,
      limit,
      users: among,
    }: { cursor: string | undefined; limit: number; users?: string[] | undefined },
    line: string,
  ): Promise<Page<TokenOwner>> {
    const read = async (manager: EntityManager): Promise<Page<TokenOwner>> => {
      const now = new Date();
      const { rows: users, nextCursor } = await this.users(manager, filter, now, { cursor, limit, among });
      const owned = await this.ownedBy(manager, users, filter, now);
      return { rows: users.map((user) => ({ user, tokens: owned.get(user.id) ?? [] })), nextCursor };
    };
    return this.turns.run(line, () => this.listings.read(read));
  }

  private users(
    manager: EntityManager,
    filter: TokenFilter,
    now: Date,
    { cursor, limit, among }: { cursor: string | undefined; limit: number; among: string[] | undefined },
  ): Promise<Page<User>> {
    const { ownerId, organizationId } = filter;
    const values = new NamedValues('filter');
    const owners = manager
      .createQueryBuilder(User, 'user')
      .innerJoinAndSelect('user.organization', 'organization')
      .where(
        `EXISTS (SELECT FROM tokens token WHERE token.owner_id = user.id AND ${meant(filter, values.place, now)})`,
        values.parameters,
      );
    if (ownerId !== undefined) owners.andWhere('user.id = :ownerId', { ownerId });
    if (organizationId !== undefined)
      owners.andWhere('user.organizationId = :organizationId', { organizationId });
    if (among !== undefined) owners.andWhere('user.id = ANY (:among::uuid[])', { among });
    return readPage(owners, newestFirst('user.createdAt'), cursor, limit);
  }

  private async ownedBy(
    manager: EntityManager,
    users: readonly User[],
    filter: TokenFilter,
    now: Date,
  ): Promise<Map<string, OwnedTokens[]>> {
    const values = new Values();
    const { place } = values;
    const text = `
      WITH lists AS MATERIALIZED (
        SELECT token.owner_id, token.dialect, token.scopes, count(*)::int AS count, max(used.used_at) AS used_at
        FROM tokens token LEFT JOIN last_uses used ON used.token_uuid = token.id
        WHERE token.owner_id = ANY (${place(users.map(({ id }) => id))}::uuid[]) AND ${meant(filter, place, now)}
        GROUP BY token.owner_id, token.dialect, token.scopes),
      scopes AS (
        SELECT DISTINCT owner_id, dialect, scope FROM lists, unnest(lists.scopes) AS scope),
      numbered AS (
        SELECT *, row_number() OVER (PARTITION BY owner_id ORDER BY scope <> '*', dialect, scope) AS number FROM scopes),
      held AS (
        SELECT owner_id, dialect, array_agg(scope) AS scopes FROM numbered
        WHERE number <= ${MAX_SCOPES_OF_AN_OWNER} GROUP BY owner_id, dialect),
      counted AS (
        SELECT owner_id, dialect, sum(count)::int AS count, max(used_at) AS used_at FROM lists GROUP BY owner_id, dialect)
      SELECT owner_id, dialect, count, used_at AS "lastUsedAt", coalesce(held.scopes, '{}') AS scopes
      FROM counted LEFT JOIN held USING (owner_id, dialect)
      ORDER BY owner_id, dialect`;
    const owned = new Map<string, OwnedTokens[]>();
    if (users.length === 0) return owned;
    const counted = await manager.query<(OwnedTokens & { owner_id: string })[]>(text, values.list);
    for (const { owner_id: id, ...tokens } of counted) {
      const known = owned.get(id);
      if (known) known.push(tokens);
      else owned.set(id, [tokens]);
    }
    return owned;
  }
}

function meant(filter: TokenFilter, place: Place, now: Date): string {
  const isOfLive = filter.status === undefined && filter.live === undefined;
  return filterCondition(isOfLive ? { ...filter, live: true } : filter, place, now);
}

function tooMany(): Refusal {
  const message = 'Too many count the tokens of owners at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}
