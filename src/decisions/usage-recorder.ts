import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntitySubscriberInterface } from 'typeorm';
import { keptUserAgent, type Origin } from '../protocol/origin.js';
import { slotOf, LastUse } from '../tokens/token.entity.js';
import type { CachedToken, TokenUse } from './cached-token.js';
import { NewAddresses } from './new-addresses.js';

const WRITE_INTERVAL_MS = 2_000;
/** A token in constant use is written at most this often; its first use is written without this delay. */
const TOKEN_INTERVAL_MS = 60_000;
/** Building a statement blocks the event loop: no more than a millisecond or two at a time. */
const ROWS_A_STATEMENT = 1_000;

/** Of a token that is used from many places at once, what of them is kept between two writes. */
const MAX_ELSEWHERE = 8;

/** Takes its rows in the order of their ids: replicas that write the same ones do not wait for each other in a circle. */
const WRITE_SQL = `
  INSERT INTO last_uses (token_uuid, used_at, address, user_agent, used_slot)
  SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::int[])
    AS u (token_uuid, used_at, address, user_agent, used_slot)
  ORDER BY u.token_uuid
  ON CONFLICT (token_uuid) DO UPDATE SET used_at = excluded.used_at, address = excluded.address,
    user_agent = excluded.user_agent, used_slot = excluded.used_slot
    WHERE last_uses.used_at IS NULL OR last_uses.used_at < excluded.used_at`;

/**
 * Gathers the last use of tokens in memory and writes it, many in one statement, every two seconds, each token at most
 * once a minute, and all at shutdown. What is not written yet shows on every last use that is loaded, so that an answer
 * never lags behind its own request. A crash can lose the uses of the last minute of tokens in steady use, and of the
 * last two seconds of others.
 */
@Injectable()
export class UsageRecorder implements EntitySubscriberInterface<LastUse> {
  private readonly logger = new Logger(UsageRecorder.name);
  private readonly uses = new Map<string, TokenUse>();
  /** Tokens that may be written at the next turn. */
  private due: string[] = [];
  /** Tokens that were written lately, the first of them first: they may not be written again yet. */
  private resting: { id: string; writtenAt: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private writing = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly newAddresses: NewAddresses,
  ) {
    dataSource.subscribers.push(this);
  }

  /** Runs no query and allocates no promise: called for every decision. */
  record(cached: CachedToken, { address, userAgent }: Pick<Partial<Origin>, 'address' | 'userAgent'>): void {
    const at = Date.now();
    const { use } = cached;
    if (!use || use.isForgotten) {
      cached.use = this.begin(cached.token.id, {
        at,
        address,
        userAgent,
        pendingSince: at,
        isForgotten: false,
      });
    } else {
      use.at = at;
      use.pendingSince ??= at;
      // Assigned only if different: otherwise a string of each request would outlive the request.
      if (use.address !== address) this.move(use, address);
      if (use.userAgent !== userAgent) use.userAgent = userAgent;
    }
    this.timer ??= setTimeout(() => this.turn(), WRITE_INTERVAL_MS).unref();
  }

  private move(use: TokenUse, address: string | undefined): void {
    if (use.address !== undefined && this.newAddresses.isWatched) {
      const elsewhere = (use.elsewhere ??= []);
      if (elsewhere.length < MAX_ELSEWHERE && !elsewhere.includes(use.address)) elsewhere.push(use.address);
    }
    use.address = address;
  }

  /** The use of a token without one: the token may have been loaded again since its last use. */
  private begin(id: string, use: TokenUse): TokenUse {
    const known = this.uses.get(id);
    if (!known) {
      this.uses.set(id, use);
      this.due.push(id);
      return use;
    }
    if (known.address !== use.address) this.move(known, use.address);
    return Object.assign(known, use, { pendingSince: known.pendingSince ?? use.at });
  }

  listenTo(): typeof LastUse {
    return LastUse;
  }

  afterLoad(lastUse: LastUse): void {
    const use = this.uses.get(lastUse.tokenUuid);
    if (!use || (lastUse.usedAt !== null && lastUse.usedAt.getTime() > use.at)) return;
    lastUse.usedAt = new Date(use.at);
    lastUse.address = use.address ?? null;
    lastUse.userAgent = keptUserAgent(use.userAgent);
  }

  /** Writes everything pending. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const { id } of this.resting.splice(0)) this.due.push(id);
    return this.writeDue();
  }

  /** How many tokens' last use is not written yet, and for how long (seconds) the oldest of them has not been. */
  get backlog(): { tokens: number; oldestSeconds: number } {
    const since = [...this.uses.values()].flatMap(({ pendingSince }) => pendingSince ?? []);
    const oldest = since.reduce((least, one) => Math.min(least, one), Date.now());
    return { tokens: since.length, oldestSeconds: (Date.now() - oldest) / 1000 };
  }

  /** The cost of a turn depends on what is due, not on how many tokens are in use. */
  private turn(): void {
    this.wake(Date.now() - TOKEN_INTERVAL_MS);
    void this.writeDue().then(() => {
      const isIdle = this.due.length === 0 && this.resting.length === 0;
      this.timer = isIdle ? undefined : setTimeout(() => this.turn(), WRITE_INTERVAL_MS).unref();
    });
  }

  /** Makes due what was used since it was written; what was not used is up to date in the database and is dropped. */
  private wake(writtenBefore: number): void {
    const end = this.resting.findIndex(({ writtenAt }) => writtenAt > writtenBefore);
    const rested = this.resting.splice(0, end < 0 ? this.resting.length : end);
    for (const { id } of rested) {
      const use = this.uses.get(id);
      if (use?.pendingSince !== undefined) {
        this.due.push(id);
      } else if (use) {
        use.isForgotten = true;
        this.uses.delete(id);
      }
    }
  }

  /** One write after the other: a later one must not overtake an earlier. */
  private writeDue(): Promise<void> {
    this.writing = this.writing.then(async () => {
      const ids = this.due;
      this.due = [];
      for (let start = 0; start < ids.length; start += ROWS_A_STATEMENT) {
        await this.write(ids.slice(start, start + ROWS_A_STATEMENT).sort());
      }
    });
    return this.writing;
  }

  private async write(ids: string[]): Promise<void> {
    const rows = ids.flatMap((id) => {
      const use = this.uses.get(id);
      if (use?.pendingSince === undefined) return [];
      const { pendingSince, address, elsewhere } = use;
      return [{ id, use, pendingSince, address, elsewhere }];
    });
    const values = [
      rows.map(({ id }) => id),
      rows.map(({ use }) => new Date(use.at).toISOString()),
      rows.map(({ use }) => use.address ?? null),
      rows.map(({ use }) => keptUserAgent(use.userAgent)),
      rows.map(({ use }) => slotOf(use.at)),
    ];
    // A use during the statement is pending again.
    for (const { use } of rows) {
      use.pendingSince = undefined;
      use.elsewhere = undefined;
    }
    try {
      // Before the last address, which says what is new, is another one.
      if (rows.length > 0 && this.newAddresses.isWatched) await this.newAddresses.report(rows);
      if (rows.length > 0) await this.dataSource.query(WRITE_SQL, values);
      const writtenAt = Date.now();
      for (const id of ids) this.resting.push({ id, writtenAt });
    } catch (error) {
      this.logger.warn(`Last use of ${rows.length} tokens not written yet: ${String(error)}`);
      for (const { use, pendingSince, elsewhere } of rows) {
        use.pendingSince = pendingSince;
        if (elsewhere) use.elsewhere = [...elsewhere, ...(use.elsewhere ?? [])].slice(0, MAX_ELSEWHERE);
      }
      this.due.push(...ids);
    }
  }
}
