import { Injectable, Logger } from '@nestjs/common';
import { type Actor, type AuditEntry, AuditWriter } from '../audit/audit.writer.js';
import { Statements } from '../database/statements.js';
import { keptUserAgent, type Origin } from '../protocol/origin.js';
import type { Token } from '../tokens/token.entity.js';
import type { DenyReason } from './decision.js';
import { RecentKeys } from './recent-keys.js';

const WRITE_INTERVAL_MS = 2_000;
/** At most one event per token and reason in this time. */
const REPEAT_INTERVAL_MS = 60_000;
/** At most so many events are written at a time; the log counts the rest. */
const MAX_DUE = 500;
/** Beyond this number the oldest entry is evicted, and its event may be repeated early. */
const MAX_RECENT = 10_000;

/** Why a token was refused whose secret was right. */
export type RefusedTokenReason = Exclude<DenyReason, 'malformed' | 'unknown' | 'scope'>;

/** What is known of where it came from. */
export type RefusedOrigin = { [Key in keyof Origin]?: Origin[Key] | undefined };

/**
 * Records refused tokens whose secret was right, and writes them to the audit trail after the answer: somebody still has
 * such a token, although it should no longer be in use, or not from there. At most one event per token and reason a
 * minute, in each process.
 */
@Injectable()
export class RefusedTokens {
  private readonly logger = new Logger(RefusedTokens.name);
  /** By token id and reason. */
  private readonly recent = new RecentKeys(REPEAT_INTERVAL_MS, MAX_RECENT);
  private due: AuditEntry[] = [];
  private left = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing = Promise.resolve();

  constructor(
    private readonly statements: Statements,
    private readonly audit: AuditWriter,
  ) {}

  /** Runs no query and allocates no promise: such a token may be presented at any rate. */
  record(token: Token, reason: RefusedTokenReason, origin: RefusedOrigin): void {
    const now = Date.now();
    const key = `${token.tokenId} ${reason}`;
    if (this.recent.has(key, now)) return;
    if (this.due.length >= MAX_DUE) {
      this.left += 1;
      return;
    }
    this.recent.add(key, now);
    this.due.push(entryOf(token, reason, origin, new Date(now)));
    this.timer ??= setTimeout(() => void this.flush(), WRITE_INTERVAL_MS).unref();
  }

  /** Writes everything recorded. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    const [entries, left] = [this.due, this.left];
    this.due = [];
    this.left = 0;
    if (left > 0) this.logger.warn(`${left} refusals of tokens are not in the audit trail: too many at once`);
    if (entries.length === 0) return;
    try {
      await this.audit.write(this.statements, entries);
    } catch (error) {
      this.logger.warn(`${entries.length} refusals of tokens not written yet: ${String(error)}`);
      this.due = [...entries, ...this.due].slice(0, MAX_DUE);
      this.timer ??= setTimeout(() => void this.flush(), WRITE_INTERVAL_MS).unref();
    }
  }
}

function entryOf(token: Token, reason: RefusedTokenReason, origin: RefusedOrigin, time: Date): AuditEntry {
  return {
    time,
    actor: bearerOf(token, origin),
    action: 'token.refuse',
    object: { type: 'token', id: token.tokenId },
    after: { reason },
  };
}

/** Whoever holds a value of a token, or has held one. */
export function bearerOf(token: Token, origin: RefusedOrigin): Actor {
  return {
    type: 'token',
    id: token.id,
    auditId: token.tokenId,
    name: token.name,
    createdAt: token.createdAt,
    address: origin.address ?? null,
    userAgent: keptUserAgent(origin.userAgent),
    requestId: origin.requestId ?? null,
  };
}
