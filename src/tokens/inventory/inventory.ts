import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Organization } from '../../accounts/organization.entity.js';
import { findPlace, findUser } from '../../accounts/references.js';
import { organizationJson, type UserRow, UserRows } from '../../accounts/user-rows.js';
import type { User } from '../../accounts/user.entity.js';
import { Listings } from '../../database/listings.js';
import type { Page } from '../../database/page.js';
import { type Place, Values } from '../../database/statements.js';
import { Refusal } from '../../refusal.js';
import { Semaphore } from '../../semaphore.js';
import { isTokenId } from '../token-format.js';
import { type TokenRow, TokenRows } from '../token-rows.js';
import { Token } from '../token.entity.js';
import {
  type DayOfExpirations,
  endOfDays,
  expirationsQuery,
  type TokenExpirations,
} from './token-expirations.js';
import { summaryOf, summaryQuery, type TokenSummary } from './token-summary.js';
import { filterCondition, type TokenFilter } from './token-filter.js';
import {
  decodeCursor,
  encodeCursor,
  pickedInOrder,
  type Position,
  type TokenSort,
  type Way,
} from './token-order.js';

/** A summary may read all tokens: few at a time, and few that wait. */
const SUMMARIES = 2;
const MAX_WAITING = 20;
const MAX_WAIT_MS = 10_000;

/** Of an owner or an organization with more tokens no page by the last use looks up each, and no other sorts them all. */
const MOST_LOOKED_UP = 5_000;
const MOST_SORTED = 20_000;
/** So many tokens are gone through for a page, and so many for each of its rows. */
const MOST_WALKED = 10_000;
const WALKED_A_ROW = 20;

type PickedRow = Position & TokenRow;

/** Who looks at tokens: as much of a caller as that depends on. */
export interface Viewer {
  readonly user: Pick<User, 'id' | 'organizationId'>;
  readonly isAdministrator: boolean;
  administers(organizationId: string): boolean;
}

/** A filter as a caller writes it: users, organizations and makers by the names that people have for them. */
export type NamedTokenFilter = Omit<TokenFilter, 'ownerId' | 'organizationId' | 'createdBy' | 'tokenId'> & {
  /** Login or uuid. */
  owner?: string;
  /** Name or uuid. */
  organization?: string;
  /** Login or uuid of a user, or a token id. */
  createdBy?: string;
};

/** Administrators see all tokens, organization administrators those of the organization, everybody the own ones. */
export function visibleTo(viewer: Viewer): { ownerId?: string; organizationId?: string } {
  const { id, organizationId } = viewer.user;
  if (viewer.isAdministrator) return {};
  return viewer.administers(organizationId) ? { organizationId } : { ownerId: id };
}

/** The tokens that are there, as those see them who may see them. */
@Injectable()
export class Inventory implements OnApplicationBootstrap {
  private readonly logger = new Logger(Inventory.name);
  private readonly turns = new Semaphore(SUMMARIES, MAX_WAITING, tooMany, MAX_WAIT_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly listings: Listings,
    private readonly rows: TokenRows,
    private readonly userRows: UserRows,
  ) {}

  /** Says so where texts have no index. */
  async onApplicationBootstrap(): Promise<void> {
    const [found] = await this.dataSource.query<{ index: string | null }[]>(
      `SELECT to_regclass('tokens_text')::text AS index`,
    );
    if (found?.index != null) return;
    this.logger.warn(
      'The database has no index of texts, for it has no pg_trgm: q looks at every token (docs/inventory.md)',
    );
  }

  /**
   * One page of a list, with owners and their organizations, also of owners who are deleted. First the tokens of the page
   * are picked along an index, then they are read: nothing is read, joined or sorted that is not shown.
   *
   * @param cursor the `nextCursor` of the page before.
   * @throws {Refusal} invalid for a cursor that no page of this order gave out.
   */
  async page(
    filter: TokenFilter,
    { sort, cursor, limit }: { sort: TokenSort; cursor: string | undefined; limit: number },
  ): Promise<Page<Token>> {
    const after = cursor === undefined ? undefined : decodeCursor(sort, cursor);
    return this.listings.read((manager) => this.pageBehind(manager, filter, { sort, after, limit }));
  }

  private async pageBehind(
    manager: EntityManager,
    filter: TokenFilter,
    { sort, after, limit }: { sort: TokenSort; after: Position | undefined; limit: number },
  ): Promise<Page<Token>> {
    const page = { sort, after, limit: limit + 1 };
    let found: PickedRow[] | undefined;
    if (await this.isLongWay(manager, filter, sort)) {
      const most = MOST_WALKED + WALKED_A_ROW * limit;
      found = await this.picked(manager, filter, page, () => ({ by: 'walk', most }));
      // Where it finds less than a page there may be more behind.
      if (found.length <= limit) found = undefined;
    }
    const few = found ? undefined : await this.few(manager, filter);
    found ??= await this.picked(manager, filter, page, (place) => {
      const { ownerId } = filter;
      if (ownerId !== undefined && sort.endsWith('createdAt'))
        return { by: 'owner', owner: `${place(ownerId)}::uuid` };
      return few ? { by: 'few', condition: filterCondition(few, place, new Date()) } : { by: 'order' };
    });
    const rows = found.length > limit ? found.slice(0, limit) : found;
    const tokens = await this.withOwners(
      manager,
      rows.map((row) => this.rows.tokenOf(row)),
    );
    const last = rows.at(-1);
    return {
      rows: tokens,
      nextCursor: last && rows.length < found.length ? encodeCursor(sort, last) : undefined,
    };
  }

  private picked(
    manager: EntityManager,
    filter: TokenFilter,
    { sort, after, limit }: { sort: TokenSort; after: Position | undefined; limit: number },
    wayOf: (place: Place) => Way,
  ): Promise<PickedRow[]> {
    const { place, list } = new Values();
    const condition = filterCondition(filter, place, new Date());
    // By its values, and so not prepared: a plan for all values is none for the owner of most tokens and that of few.
    return manager.query<PickedRow[]>(
      `WITH picked AS MATERIALIZED (${pickedInOrder(sort, condition, { after, limit, place, way: wayOf(place) })})
       SELECT picked.part, picked.keys, picked.id, ${this.rows.lastUseJson('token')} AS "lastUse",
         (SELECT row_to_json(r) FROM (SELECT ${this.rows.columns('token')}) r) AS token
       FROM picked JOIN tokens token ON token.id = picked.id ORDER BY picked.place`,
      list,
    );
  }

  /**
   * Whether to sort all tokens that one owner or one organization has takes longer than to go along the order until enough
   * of theirs have come. An organization's are along an index of its own in every order but that of the last use, and an
   * owner's in that of the moment of issue.
   */
  private async isLongWay(
    manager: EntityManager,
    { ownerId, organizationId }: TokenFilter,
    sort: TokenSort,
  ): Promise<boolean> {
    const isByUse = sort.endsWith('lastUsedAt');
    if (sort.endsWith('createdAt') || (!isByUse && ownerId === undefined)) return false;
    const [column, id] = ownerId === undefined ? ['organization_id', organizationId] : ['owner_id', ownerId];
    if (id === undefined) return false;
    const most = isByUse ? MOST_LOOKED_UP : MOST_SORTED;
    const [counted] = await manager.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM (SELECT FROM tokens WHERE ${column} = $1 LIMIT ${most + 1}) AS counted`,
      [id],
    );
    return counted !== undefined && counted.count > most;
  }

  /**
   * The part of a filter that few tokens meet; undefined where none is known to. An owner's tokens are few beside all, and
   * may all come last in an order. Of scopes the database knows which are common, but takes all others for half a percent.
   */
  private async few(
    manager: EntityManager,
    { ownerId, scope }: TokenFilter,
  ): Promise<TokenFilter | undefined> {
    if (ownerId !== undefined) return { ownerId };
    if (scope === undefined) return undefined;
    const rows = await manager.query<object[]>(
      `SELECT FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'tokens' AND attname = 'scopes'
         AND $1 = ANY (most_common_elems::text::text[])`,
      [scope],
    );
    return rows.length > 0 ? undefined : { scope };
  }

  /**
   * Counts the tokens that a filter means, all at one moment.
   *
   * @param line in which it waits for its turn.
   * @throws {Refusal} unavailable, when too many wait already.
   */
  async summary(filter: TokenFilter | undefined, line: string): Promise<TokenSummary> {
    const asOf = new Date();
    if (!filter) return summaryOf([], asOf);
    const { text, values } = summaryQuery(filter, asOf);
    return summaryOf(await this.counted<object>(line, text, values), asOf);
  }

  /**
   * Counts the active tokens that a filter means by the day on which they expire, of so many days from today.
   *
   * @param line as of {@link summary}, whose turns it takes.
   * @throws {Refusal} as {@link summary}.
   */
  async expirations(
    filter: TokenFilter | undefined,
    daysAhead: number,
    line: string,
  ): Promise<TokenExpirations> {
    const from = new Date();
    const to = endOfDays(from, daysAhead);
    if (!filter) return { from, to, days: [] };
    const { text, values } = expirationsQuery(filter, { from, to });
    return { from, to, days: await this.counted<DayOfExpirations>(line, text, values) };
  }

  private counted<Row>(line: string, text: string, values: unknown[]): Promise<Row[]> {
    return this.turns.run(line, () => this.listings.read((manager) => manager.query<Row[]>(text, values)));
  }

  /** Gives tokens their owners, each of whom is read once. */
  private async withOwners(manager: EntityManager, tokens: Token[]): Promise<Token[]> {
    const ids = [...new Set(tokens.map(({ ownerId }) => ownerId))];
    if (ids.length === 0) return tokens;
    const found = await manager.query<UserRow[]>(
      `SELECT (SELECT row_to_json(r) FROM (SELECT ${this.userRows.columns('u')}) r) AS "user",
         ${organizationJson('u')} AS organization
       FROM users u WHERE u.id = ANY ($1::uuid[])`,
      [ids],
    );
    const owners = new Map(found.map((row) => [row.user['id'], this.userRows.userOf(row)]));
    return tokens.map((token) => Object.assign(token, { owner: owners.get(token.ownerId) }));
  }

  /**
   * What a caller means: of the tokens that the caller sees those that the filter names. A text that is the whole id of
   * one of them means that one alone.
   *
   * @returns undefined where there can be none: nobody of that name, or nobody that the caller sees.
   */
  async resolve(
    viewer: Viewer,
    { owner, organization, createdBy, q, ...filter }: NamedTokenFilter,
  ): Promise<TokenFilter | undefined> {
    const { manager } = this.dataSource;
    const visible = visibleTo(viewer);
    const resolved: TokenFilter = { ...filter, ...visible };
    if (owner !== undefined) {
      const user = await findUser(manager, owner, true);
      // A token's organization is its owner's.
      const isSeen = user && isBoth(visible.ownerId, user.id);
      if (!isSeen || !isBoth(visible.organizationId, user.organizationId)) return undefined;
      resolved.ownerId = user.id;
    }
    if (organization !== undefined) {
      const place = await findPlace(manager, Organization, organization);
      if (!place || !isBoth(visible.organizationId, place.id)) return undefined;
      resolved.organizationId = place.id;
    }
    if (createdBy !== undefined) {
      const maker = isTokenId(createdBy)
        ? await manager.findOne(Token, { where: { tokenId: createdBy }, select: { id: true } })
        : await findUser(manager, createdBy, true);
      if (!maker) return undefined;
      resolved.createdBy = maker.id;
    }
    if (q !== undefined) {
      const isWhole = isTokenId(q) && (await manager.existsBy(Token, { ...visible, tokenId: q }));
      if (isWhole) resolved.tokenId = q;
      else resolved.q = q;
    }
    return resolved;
  }
}

function tooMany(): Refusal {
  const message = 'Too many summaries at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}

/** Whether something can be both: undefined is anything. */
function isBoth(one: string | undefined, other: string): boolean {
  return one === undefined || one === other;
}
