import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { AuditWriter, SYSTEM } from '../audit/audit.writer.js';
import { EntityRows, type JsonRow } from '../database/entity-rows.js';
import { type StatementRunner, statementOf, Statements } from '../database/statements.js';
import { Transactions } from '../database/transactions.js';
import { auditView, type ChannelKind, NoticeChannel } from './notice-channel.entity.js';
import { NoticeDelivery } from './notice-delivery.entity.js';
import { NOTICE_TIMING, type NoticeTiming } from './timing.js';

/** What one message to one receiver tells: to a webhook one notice, to a mailbox all of a kind that wait. */
export interface Shipment {
  /** Null: it goes to the owner of the tokens. */
  channel: NoticeChannel | null;
  /** Of the owner; null where there is none any more. */
  ownerAddress: string | null;
  deliveries: [NoticeDelivery, ...NoticeDelivery[]];
  lease: string;
}

/** Why a receiver has not taken it. */
export interface Failure {
  error: string;
  responseStatus?: number | undefined;
  /** What is to be waited before it is sent again (ms). */
  delayMs: number;
  /** Whether it will never be taken. */
  isFinal: boolean;
}

const AFTER = (place: string): string => `clock_timestamp() + ${place}::float8 * interval '1 millisecond'`;
const BEFORE = (place: string): string => `clock_timestamp() - ${place}::float8 * interval '1 millisecond'`;
/** As many are told of in one mail. */
const MAX_ALONG = 500;
/** As many one statement ends. */
const MAX_ENDED = 10_000;

/** The first of each channel's that waits. One that is not due yet, or under way, keeps those behind it. */
const HEADS = `
  SELECT head.id, head.due_at FROM notice_channels c CROSS JOIN LATERAL (
    SELECT d.id, d.due_at FROM notice_deliveries d WHERE d.queue_id = c.id AND d.status = 'waiting'
    ORDER BY d.sequence LIMIT 1) head
  WHERE c.enabled AND c.kind = $1 AND head.due_at <= clock_timestamp()`;

/** What is for owners has no order, but one mail an owner is made of it. */
const TO_OWNERS = `
  SELECT DISTINCT ON (first.queue_id) first.id, first.due_at FROM (
    SELECT d.id, d.queue_id, d.due_at FROM notice_deliveries d
    WHERE d.status = 'waiting' AND d.channel_id IS NULL AND d.due_at <= clock_timestamp()
    ORDER BY d.due_at LIMIT ${MAX_ALONG}) first
  ORDER BY first.queue_id, first.due_at`;

/**
 * The statements on what is to be sent. A replica leases what it sends; whoever loses the lease writes nothing of it, and
 * whatever ends while it holds one is sent again: at least once. The database's clock decides on leases and waits.
 */
@Injectable()
export class DeliveryQueue {
  private readonly deliveries: EntityRows<NoticeDelivery>;
  private readonly channels: EntityRows<NoticeChannel>;

  constructor(
    dataSource: DataSource,
    private readonly statements: Statements,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    @Inject(NOTICE_TIMING) private readonly timing: NoticeTiming,
  ) {
    this.deliveries = new EntityRows(dataSource, NoticeDelivery);
    this.channels = new EntityRows(dataSource, NoticeChannel);
  }

  /** Which events some channel wants, and for how long (seconds) the oldest notice waits; null: none does. */
  async look(): Promise<{ wanted: string[]; oldestSeconds: number | null }> {
    const text = `
      SELECT coalesce((SELECT array_agg(DISTINCT e) FROM notice_channels c, unnest(c.events) e WHERE c.enabled), '{}') AS wanted,
        (SELECT extract(epoch FROM clock_timestamp() - min(queued_at))::float8 FROM notice_deliveries
          WHERE status = 'waiting') AS "oldestSeconds"`;
    const [row] = await this.statements.run<{ wanted: string[]; oldestSeconds: number | null }>(
      statementOf('notices', text),
      [],
    );
    return row ?? { wanted: [], oldestSeconds: null };
  }

  /** Leases up to so many messages of a kind that are due, each of another queue. */
  async take(kind: ChannelKind, limit: number): Promise<Shipment[]> {
    const heads = kind === 'mail' ? `${HEADS} UNION ALL (${TO_OWNERS})` : HEADS;
    const text = `
      WITH heads AS MATERIALIZED (${heads}),
      due AS MATERIALIZED (SELECT d.id FROM notice_deliveries d
        WHERE d.id IN (SELECT id FROM heads ORDER BY due_at LIMIT $2) AND d.status = 'waiting'
          AND d.due_at <= clock_timestamp()
        FOR UPDATE SKIP LOCKED),
      leased AS (UPDATE notice_deliveries d SET lease_owner = $3, due_at = ${AFTER('$4')} FROM due
        WHERE d.id = due.id RETURNING d.*)
      SELECT row_to_json(d) AS delivery, row_to_json(c) AS channel, u.email FROM leased d
        LEFT JOIN notice_channels c ON c.id = d.channel_id
        LEFT JOIN users u ON d.channel_id IS NULL AND u.id = d.queue_id AND u.deleted_at IS NULL AND NOT u.disabled`;
    const lease = randomUUID();
    const rows = await this.statements.run<{
      delivery: JsonRow;
      channel: JsonRow | null;
      email: string | null;
    }>(statementOf('notices', text), [kind, limit, lease, this.timing.leaseMs]);
    return rows.map(({ delivery, channel, email }) => ({
      channel: channel && this.channels.entityOf(channel),
      ownerAddress: email,
      deliveries: [this.deliveries.entityOf(delivery)],
      lease,
    }));
  }

  /** Leases what waits behind the first of a message and tells the same of other tokens. */
  async takeAlong({ channel, deliveries: [first], lease }: Shipment): Promise<NoticeDelivery[]> {
    const text = `
      WITH along AS MATERIALIZED (SELECT d.id FROM notice_deliveries d
        WHERE d.queue_id = $1 AND d.status = 'waiting' AND d.event = $2 AND d.id <> $3 AND d.due_at <= clock_timestamp()
          AND (NOT $4::boolean OR NOT EXISTS (SELECT FROM notice_deliveries other WHERE other.queue_id = $1
            AND other.status = 'waiting' AND other.event <> $2 AND other.sequence < d.sequence))
        ORDER BY d.sequence LIMIT ${MAX_ALONG - 1} FOR UPDATE SKIP LOCKED),
      leased AS (UPDATE notice_deliveries d SET lease_owner = $5, due_at = ${AFTER('$6')} FROM along
        WHERE d.id = along.id RETURNING d.*)
      SELECT row_to_json(d) AS delivery FROM leased d ORDER BY d.sequence`;
    const values = [first.queueId, first.event, first.id, channel !== null, lease, this.timing.leaseMs];
    const rows = await this.statements.run<{ delivery: JsonRow }>(statementOf('notices', text), values);
    return rows.map(({ delivery }) => this.deliveries.entityOf(delivery));
  }

  async delivered(shipment: Shipment, responseStatus: number | null): Promise<void> {
    const text = `
      WITH ended AS (UPDATE notice_deliveries SET status = 'delivered', attempts = attempts + 1,
          attempted_at = clock_timestamp(), ended_at = clock_timestamp(), lease_owner = NULL, error = NULL,
          response_status = $3
        WHERE id = ANY ($1::uuid[]) AND lease_owner = $2 RETURNING id)
      UPDATE notice_channels SET failures = 0 WHERE id = $4 AND failures > 0 AND EXISTS (SELECT FROM ended)`;
    const values = [idsOf(shipment), shipment.lease, responseStatus, shipment.channel?.id ?? null];
    await this.statements.run(statementOf('notices', text), values);
  }

  /**
   * Has a message sent again, or gives it up where its day is over. With that of a channel is given up all that waits
   * behind it for as long; what goes on then waits as the message would have.
   *
   * @returns how many were given up.
   */
  async failed(shipment: Shipment, { error, responseStatus, delayMs, isFinal }: Failure): Promise<number> {
    const tooOld = `queued_at < ${BEFORE('$6')}`;
    const behind = `SELECT id FROM notice_deliveries WHERE queue_id = $8 AND status = 'waiting'
      AND id <> ALL ($1::uuid[]) AND $9::uuid IS NOT NULL`;
    const text = `
      WITH failed AS (UPDATE notice_deliveries SET attempts = attempts + 1, attempted_at = clock_timestamp(),
          lease_owner = NULL, error = $3, response_status = $4, due_at = ${AFTER('$5')},
          status = CASE WHEN $7::boolean OR ${tooOld} THEN 'failed' ELSE 'waiting' END,
          ended_at = CASE WHEN $7::boolean OR ${tooOld} THEN clock_timestamp() END
        WHERE id = ANY ($1::uuid[]) AND lease_owner = $2 RETURNING status),
      counted AS (UPDATE notice_channels SET failures = failures + 1 WHERE id = $9 AND EXISTS (SELECT FROM failed)),
      late AS (UPDATE notice_deliveries SET status = 'failed', ended_at = clock_timestamp(), error = $3
        WHERE id IN (${behind} AND ${tooOld} ORDER BY sequence LIMIT ${MAX_ENDED})
          AND lease_owner IS NULL AND EXISTS (SELECT FROM failed) RETURNING id),
      next AS (UPDATE notice_deliveries SET due_at = ${AFTER('$5')}
        WHERE id = (${behind} AND NOT ${tooOld} ORDER BY sequence LIMIT 1)
          AND EXISTS (SELECT FROM failed WHERE status = 'failed'))
      SELECT (SELECT count(*) FROM failed WHERE status = 'failed')::int + (SELECT count(*) FROM late)::int AS count`;
    const [first] = shipment.deliveries;
    const [row] = await this.statements.run<{ count: number }>(statementOf('notices', text), [
      idsOf(shipment),
      shipment.lease,
      error,
      responseStatus ?? null,
      delayMs,
      this.timing.giveUpMs,
      isFinal,
      first.queueId,
      shipment.channel?.id ?? null,
    ]);
    return row?.count ?? 0;
  }

  /** Gives a message back that was not sent: another replica, or the next start, sends it. */
  async release(shipment: Shipment): Promise<void> {
    const text = `UPDATE notice_deliveries SET lease_owner = NULL, due_at = clock_timestamp()
      WHERE id = ANY ($1::uuid[]) AND lease_owner = $2`;
    await this.statements.run(statementOf('notices', text), [idsOf(shipment), shipment.lease]);
  }

  /** Makes all leases those of the past: for who is alone in its store, where each is of a process that is gone. */
  async endLeases(): Promise<void> {
    const text = `UPDATE notice_deliveries SET lease_owner = NULL, due_at = clock_timestamp()
      WHERE status = 'waiting' AND lease_owner IS NOT NULL`;
    await this.statements.run(statementOf('notices', text), []);
  }

  /** Sends a channel nothing more, as its receiver asks for. */
  async disable({ channel, deliveries: [first] }: Shipment, reason: string): Promise<void> {
    if (!channel) return;
    const text = `UPDATE notice_channels SET enabled = false, disabled_reason = $2, updated_at = clock_timestamp()
      WHERE id = $1 AND enabled RETURNING id`;
    await this.transactions.run('notices', async (transaction) => {
      const changed = await transaction.run(statementOf('notices', text), [channel.id, reason]);
      if (changed.length === 0) return;
      await this.giveUpAll(transaction, first.queueId, reason);
      await this.audit.write(transaction.last, {
        actor: SYSTEM,
        action: 'noticeChannel.disable',
        object: { type: 'noticeChannel', id: channel.id },
        before: auditView(channel),
        after: { ...auditView(channel), enabled: false, reason },
      });
    });
  }

  /** Gives up what waits for a channel. */
  async giveUpAll(runner: StatementRunner, queueId: string, error: string): Promise<void> {
    const text = `UPDATE notice_deliveries SET status = 'failed', ended_at = clock_timestamp(), lease_owner = NULL, error = $2
      WHERE id IN (SELECT id FROM notice_deliveries WHERE queue_id = $1 AND status = 'waiting' ORDER BY sequence
        LIMIT ${MAX_ENDED})`;
    await runner.run(statementOf('notices', text), [queueId, error]);
  }

  /** Forgets how often a channel has failed, and has what waits for it sent now. */
  async hurry(runner: StatementRunner, channelId: string): Promise<void> {
    const text = `
      WITH calmed AS (UPDATE notice_channels SET failures = 0 WHERE id = $1 AND failures > 0)
      UPDATE notice_deliveries SET due_at = clock_timestamp()
      WHERE id = (SELECT id FROM notice_deliveries WHERE queue_id = $1 AND status = 'waiting' ORDER BY sequence LIMIT 1)
        AND lease_owner IS NULL`;
    await runner.run(statementOf('notices', text), [channelId]);
  }

  /** Deletes some that are so many days old; whether there may be more. */
  async purge(days: number, limit: number): Promise<boolean> {
    const text = `DELETE FROM notice_deliveries WHERE id IN (SELECT id FROM notice_deliveries
        WHERE queued_at < clock_timestamp() - $1::int * interval '1 day' ORDER BY queued_at, id LIMIT $2)
      RETURNING id`;
    return (await this.statements.run(statementOf('notices', text), [days, limit])).length === limit;
  }
}

function idsOf({ deliveries }: Shipment): string[] {
  return deliveries.map(({ id }) => id);
}
