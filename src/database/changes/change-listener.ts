import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { PostgresServer, ServerClient } from '../postgres-server.js';
import { CHANNEL, type ChangeFeed } from './change-feed.js';

const HEARTBEAT = 'heartbeat';
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
/** Where a pooler lets nothing through, as long as it is there. */
const POOLER_RETRY_MS = 60_000;
const CONNECT_TIMEOUT_MS = 2_000;

/** What is known of changes elsewhere, at a moment. */
export interface ReplicationState {
  /** Counts the listening connections so far: what was read under an earlier one may have missed a change. */
  epoch: number;
  /** Every change committed before this moment (ms of `performance.now()`) has been received, in this epoch. */
  caughtUpAt: number;
  /** The same for the epoch before this one, as it stood when that one ended. */
  previousCaughtUpAt: number;
}

/** When something was read, and under which listening connection. */
export interface Reading {
  /** Milliseconds of `performance.now()`. */
  readAt: number;
  epoch: number;
}

/**
 * Whether what was read is as good as read within `maxAgeMs`: because that is not longer ago, or because the listening
 * connection has proved since then that no change was missed.
 *
 * @param replication undefined where this process makes every change itself.
 */
export function isProven(
  replication: Readonly<ReplicationState> | undefined,
  { readAt, epoch }: Reading,
  maxAgeMs: number,
): boolean {
  if (!replication) return true;
  const provenAt =
    epoch === replication.epoch
      ? replication.caughtUpAt
      : epoch === replication.epoch - 1
        ? replication.previousCaughtUpAt
        : -Infinity;
  return performance.now() - Math.max(readAt, provenAt) <= maxAgeMs;
}

/** Tells all who listen something, by the way that changes take. */
export type Notify = (channel: string, payload: string) => Promise<unknown>;

/**
 * Hears the changes of other replicas over a connection of its own (`application_name` patois-listen). Notifications
 * arrive in the order of commits; so when its own heartbeat comes back, every change that was committed before the
 * heartbeat was sent has been received. A heartbeat takes the way that changes take, over another connection: what comes
 * back to the connection that sent it would prove nothing of what others send, which a pooler may drop.
 */
export class ChangeListener implements OnModuleInit, OnApplicationShutdown {
  /** Undefined on the embedded engine: a process that is alone in its store makes every change itself. */
  readonly replication: ReplicationState | undefined;
  isConnected = false;
  private readonly logger = new Logger(ChangeListener.name);
  /** Distinguishes this process's heartbeats from those of others. */
  private readonly replica = randomUUID();
  private client: ServerClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastAnswer = -Infinity;
  private hasAnswered = false;
  private retryMs = FIRST_RETRY_MS;
  private isClosed = false;

  /**
   * @param server undefined on the embedded engine.
   * @param boundMs how old a cached look-up may be: without an answer for so long the connection counts as lost.
   */
  constructor(
    private readonly server: PostgresServer | undefined,
    private readonly notify: Notify,
    private readonly feed: ChangeFeed,
    private readonly boundMs: number,
  ) {
    if (server) this.replication = { epoch: 0, caughtUpAt: -Infinity, previousCaughtUpAt: -Infinity };
  }

  /**
   * Seconds since the moment up to which every change elsewhere has been received; 0 on the embedded engine, Infinity
   * before the first heartbeat of a connection has come back.
   */
  get secondsBehind(): number {
    return this.replication ? (performance.now() - this.replication.caughtUpAt) / 1000 : 0;
  }

  /** Begins to listen, without waiting for it, and goes on by itself after every loss. */
  onModuleInit(): void {
    if (this.server && this.boundMs > 0) void this.connect(this.server);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => {});
  }

  private async connect(server: PostgresServer): Promise<void> {
    const client = server.client({ application_name: 'patois-listen' });
    this.client = client;
    client.on('error', (error) => this.onConnectionLost(server, client, error));
    client.on('end', () =>
      this.onConnectionLost(server, client, new Error('the server closed the connection')),
    );
    client.on('notification', ({ payload = '' }) => this.onNotification(payload));
    // There is no heartbeat yet that would miss a server which falls silent here.
    const listen = { text: `LISTEN ${CHANNEL}`, query_timeout: CONNECT_TIMEOUT_MS };
    try {
      await client.connect();
      await client.query(listen);
    } catch (error) {
      this.onConnectionLost(server, client, error as Error);
      return;
    }
    const { replication } = this;
    if (this.client !== client || this.isClosed || !replication) return;
    replication.previousCaughtUpAt = replication.caughtUpAt;
    replication.caughtUpAt = -Infinity;
    replication.epoch += 1;
    this.isConnected = true;
    this.retryMs = FIRST_RETRY_MS;
    this.lastAnswer = performance.now();
    this.hasAnswered = false;
    this.sendHeartbeat(server, client);
  }

  private sendHeartbeat(server: PostgresServer, client: ServerClient): void {
    if (this.client !== client || this.isClosed) return;
    const now = performance.now();
    if (now - this.lastAnswer > this.boundMs) {
      // A half-open connection shows only by its silence.
      this.onConnectionLost(server, client, new Error(this.silence(client, now)));
      return;
    }
    // One that cannot be sent does not come back: nothing more is to be said of it.
    this.notify(CHANNEL, `${HEARTBEAT} ${this.replica} ${now}`).catch(() => {});
    this.timer = setTimeout(() => this.sendHeartbeat(server, client), this.boundMs / 4).unref();
  }

  private silence(client: ServerClient, now: number): string {
    const silence = `no heartbeat came back for ${Math.round(now - this.lastAnswer)} ms`;
    if (!this.isDeaf(client)) return silence;
    return `${silence}, for a pooler lets no notifications through: DATABASE_LISTEN_URL is to name the server itself (docs/cluster.md)`;
  }

  /** Whether a pooler is there, and has let nothing through. */
  private isDeaf({ isDirect }: ServerClient): boolean {
    return this.isConnected && !isDirect && !this.hasAnswered;
  }

  private onNotification(payload: string): void {
    const [first, replica, sentAt] = payload.split(' ');
    if (first !== HEARTBEAT) {
      this.feed.tell(new Set(payload.split(' ')));
    } else if (replica === this.replica && this.replication) {
      this.replication.caughtUpAt = Math.max(this.replication.caughtUpAt, Number(sentAt));
      this.lastAnswer = performance.now();
      this.hasAnswered = true;
    }
  }

  private onConnectionLost(server: PostgresServer, client: ServerClient, error: Error): void {
    if (this.client !== client || this.isClosed) return;
    const retryMs = this.isDeaf(client) ? POOLER_RETRY_MS : this.retryMs;
    this.client = undefined;
    this.isConnected = false;
    clearTimeout(this.timer);
    this.logger.warn(`Changes elsewhere are not received, cached look-ups go by their age: ${error.message}`);
    // Broken rather than ended: a half-open connection would wait for its peer.
    client.break();
    this.timer = setTimeout(() => void this.connect(server), retryMs).unref();
    this.retryMs = Math.min(this.retryMs * 2, MAX_RETRY_MS);
  }
}
