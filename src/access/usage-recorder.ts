import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntitySubscriberInterface } from 'typeorm';
import { Token } from '../tokens/token.entity.js';
import { withoutSecrets } from '../tokens/token-format.js';
import type { Origin } from './principal.js';

const FLUSH_INTERVAL_MS = 2_000;
const LONGEST_USER_AGENT = 512;

/** When and from where a token was last used. */
interface Usage {
  at: Date;
  address: string | null;
  userAgent: string | null;
}

/**
 * Gathers the last use of tokens in memory and writes it in one statement every two seconds and at shutdown. What is not
 * written yet shows on every token that is loaded, so that an answer never lags behind its own request. A crash can lose
 * the uses of the last two seconds.
 */
@Injectable()
export class UsageRecorder implements EntitySubscriberInterface<Token> {
  private readonly logger = new Logger(UsageRecorder.name);
  private pending = new Map<string, Usage>();
  /** On their way to the database: still merged into answers until they are there. */
  private writing = new Map<string, Usage>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly dataSource: DataSource) {
    dataSource.subscribers.push(this);
  }

  record(token: Token, origin: Pick<Origin, 'address' | 'userAgent'>): void {
    const userAgent = origin.userAgent?.slice(0, LONGEST_USER_AGENT);
    const usage: Usage = {
      at: new Date(),
      address: origin.address ?? null,
      // Some clients put what they should not there.
      userAgent: userAgent === undefined ? null : withoutSecrets(userAgent),
    };
    this.pending.set(token.id, usage);
    this.merge(token);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  listenTo(): typeof Token {
    return Token;
  }

  afterLoad(token: Token): void {
    this.merge(token);
  }

  /** Writes all that is pending; what could not be written is kept for the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.writing.size > 0 || this.pending.size === 0) return;
    this.writing = this.pending;
    this.pending = new Map();
    try {
      await this.write([...this.writing]);
    } catch (problem) {
      this.logger.warn(`Last use of ${this.writing.size} tokens not written yet: ${String(problem)}`);
      this.pending = new Map([...this.writing, ...this.pending]);
    }
    this.writing = new Map();
    if (this.pending.size > 0) this.timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  private async write(usages: [string, Usage][]): Promise<void> {
    // Sorted, so that two replicas that write the same tokens never wait for each other in a circle.
    const rows = usages.sort(([one], [other]) => (one < other ? -1 : 1));
    await this.dataSource.query(
      `UPDATE tokens SET last_used_at = used.at, last_used_address = used.address, last_used_user_agent = used.agent
       FROM (SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) AS u (id, at, address, agent)) used
       WHERE tokens.id = used.id AND (tokens.last_used_at IS NULL OR tokens.last_used_at < used.at)`,
      [
        rows.map(([id]) => id),
        rows.map(([, usage]) => usage.at.toISOString()),
        rows.map(([, usage]) => usage.address),
        rows.map(([, usage]) => usage.userAgent),
      ],
    );
  }

  private merge(token: Token): void {
    const usage = this.pending.get(token.id) ?? this.writing.get(token.id);
    // A query that did not select the column has nothing to be merged into.
    if (!usage || token.lastUsedAt === undefined) return;
    if (token.lastUsedAt !== null && token.lastUsedAt > usage.at) return;
    token.lastUsedAt = usage.at;
    token.lastUsedAddress = usage.address;
    token.lastUsedUserAgent = usage.userAgent;
  }
}
