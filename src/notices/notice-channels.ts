import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { LOCK_SPACES } from '../database/advisory-lock.js';
import { EntityRows, type JsonRow } from '../database/entity-rows.js';
import { type StatementRunner, statementOf } from '../database/statements.js';
import { HashingService } from '../hashing/hashing.service.js';
import { Refusal } from '../refusal.js';
import { MailSender } from './mail/mail-sender.js';
import { type ChannelKind, NoticeChannel } from './notice-channel.entity.js';
import { NoticeDelivery } from './notice-delivery.entity.js';
import { type NoticeEvent, TEST_EVENT } from './notice.js';
import { WebhookAddresses } from './webhook/webhook-address.js';
import { bindingOf, makeWebhookSecret } from './webhook/webhook-secret.js';

/** Of one organization, and of those that are told of everything. */
export const MAX_CHANNELS = 20;

/** A new channel. */
export interface ChannelSpec {
  kind: ChannelKind;
  url?: string | undefined;
  to?: string | undefined;
  events: NoticeEvent[];
  organizationId: string | null;
}

/** What may be changed of a channel; keys left out stay as they are. */
export interface ChannelChanges {
  url?: string | undefined;
  to?: string | undefined;
  events?: NoticeEvent[] | undefined;
  enabled?: boolean | undefined;
}

/** The channels, and their statements. Who may do what is asked by who calls, in the same transaction. */
@Injectable()
export class NoticeChannels {
  private readonly rows: EntityRows<NoticeChannel>;
  private readonly deliveries: EntityRows<NoticeDelivery>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly hashing: HashingService,
    private readonly addresses: WebhookAddresses,
    private readonly mails: MailSender,
  ) {
    this.rows = new EntityRows(dataSource, NoticeChannel);
    this.deliveries = new EntityRows(dataSource, NoticeDelivery);
  }

  /** A query over channels (alias `channel`) with their organizations, without secrets. */
  query(): SelectQueryBuilder<NoticeChannel> {
    return this.dataSource.manager
      .createQueryBuilder(NoticeChannel, 'channel')
      .leftJoinAndSelect('channel.organization', 'organization');
  }

  /** A query over what goes to a channel (alias `delivery`). */
  deliveriesOf(channelId: string): SelectQueryBuilder<NoticeDelivery> {
    return this.dataSource.manager.createQueryBuilder(NoticeDelivery, 'delivery').where({ channelId });
  }

  /**
   * A channel that is not stored yet, and the secret of a webhook, which is to be shown once.
   *
   * @throws {Refusal} invalid.
   */
  make({ kind, url, to, events, organizationId }: ChannelSpec): {
    channel: NoticeChannel;
    secret: string | undefined;
  } {
    const id = randomUUID();
    const target = this.targetOf(kind, { url, to });
    if (target === undefined) throw needsTarget(kind);
    const secret = kind === 'webhook' ? makeWebhookSecret() : undefined;
    const now = new Date();
    const channel = Object.assign(new NoticeChannel(), {
      id,
      organizationId,
      kind,
      target,
      events,
      enabled: true,
      disabledReason: null,
      sealedSecret: secret === undefined ? null : this.hashing.seal(secret, bindingOf(id)),
      sealedPreviousSecret: null,
      previousSecretUntil: null,
      failures: 0,
      createdAt: now,
      updatedAt: now,
    });
    return { channel, secret };
  }

  /** @throws {Refusal} invalid. */
  changed(before: NoticeChannel, { url, to, events, enabled }: ChannelChanges): NoticeChannel {
    const target = this.targetOf(before.kind, { url, to }) ?? before.target;
    return this.next(before, {
      target,
      events: events ?? before.events,
      enabled: enabled ?? before.enabled,
      disabledReason: enabled === undefined ? before.disabledReason : null,
      failures: 0,
    });
  }

  /**
   * A webhook with a new secret; the one before signs along for a while.
   *
   * @throws {Refusal} conflict for what has no secret.
   */
  withNewSecret(before: NoticeChannel, graceSeconds: number): { channel: NoticeChannel; secret: string } {
    if (before.kind !== 'webhook') {
      throw new Refusal('conflict', { message: 'Only a webhook has a secret' });
    }
    const secret = makeWebhookSecret();
    const now = Date.now();
    const channel = this.next(before, {
      sealedSecret: this.hashing.seal(secret, bindingOf(before.id)),
      sealedPreviousSecret: graceSeconds === 0 ? null : before.sealedSecret,
      previousSecretUntil: graceSeconds === 0 ? null : new Date(now + graceSeconds * 1000),
    });
    return { channel, secret };
  }

  /**
   * Stores a new channel.
   *
   * @throws {Refusal} conflict where the organization has as many as it may.
   */
  async insert(runner: StatementRunner, channel: NoticeChannel): Promise<void> {
    // Of those made at once each counts the others.
    const lock = `SELECT pg_advisory_xact_lock(${LOCK_SPACES.noticeChannels}, 0)`;
    await runner.run(statementOf('notices', lock), []);
    const count = `SELECT count(*)::int AS count FROM notice_channels WHERE organization_id IS NOT DISTINCT FROM $1::uuid`;
    const [row] = await runner.run<{ count: number }>(statementOf('notices', count), [
      channel.organizationId,
    ]);
    if (row && row.count >= MAX_CHANNELS) {
      throw new Refusal('conflict', {
        message: `There are ${MAX_CHANNELS} channels already, which is the limit`,
      });
    }
    const names = this.rows.givenColumns;
    const text = `INSERT INTO notice_channels (${names.join(', ')})
      VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`;
    await runner.run(statementOf('notices', text), this.rows.parametersOf(channel, names));
  }

  /** Locks a channel, and reads it with its secrets. */
  async lock(runner: StatementRunner, id: string): Promise<NoticeChannel | undefined> {
    const text = `SELECT row_to_json(c) AS channel FROM notice_channels c WHERE id = $1 FOR UPDATE`;
    const [row] = await runner.run<{ channel: JsonRow }>(statementOf('notices', text), [id]);
    return row && this.rows.entityOf(row.channel);
  }

  /** Writes all of a locked channel. */
  async update(runner: StatementRunner, channel: NoticeChannel): Promise<void> {
    const names = this.rows.givenColumns.filter((name) => name !== 'id');
    const text = `UPDATE notice_channels SET ${names.map((name, index) => `${name} = $${index + 2}`).join(', ')} WHERE id = $1`;
    const values = [channel.id, ...this.rows.parametersOf(channel, names)];
    await runner.run(statementOf('notices', text), values);
  }

  /** Deletes a channel, with what waits for it and the record of what was sent. */
  async delete(runner: StatementRunner, id: string): Promise<void> {
    await runner.run(statementOf('notices', `DELETE FROM notice_channels WHERE id = $1`), [id]);
  }

  /** Puts a notice that says nothing behind all that waits for a channel. */
  async queueTest(runner: StatementRunner, { id, organizationId }: NoticeChannel): Promise<NoticeDelivery> {
    const text = `
      INSERT INTO notice_deliveries AS d (id, queue_id, channel_id, event, data, status, attempts, occurred_at, queued_at, due_at)
      SELECT $1::uuid, $2::uuid, $2::uuid, '${TEST_EVENT}', jsonb_build_object('organization',
          (SELECT jsonb_build_object('id', o.id, 'name', o.name) FROM organizations o WHERE o.id = $3)),
        'waiting', 0, clock_timestamp(), clock_timestamp(), clock_timestamp()
      RETURNING row_to_json(d) AS delivery`;
    const values = [randomUUID(), id, organizationId];
    return this.one(
      await runner.run<{ delivery: JsonRow }>(statementOf('notices', text), values),
    ) as NoticeDelivery;
  }

  /** Puts what has ended behind all that waits for a channel; undefined for what has not, or is not there. */
  async queueAgain(
    runner: StatementRunner,
    channelId: string,
    id: string,
  ): Promise<NoticeDelivery | undefined> {
    const text = `
      UPDATE notice_deliveries d SET status = 'waiting', attempts = 0, sequence = DEFAULT, queued_at = clock_timestamp(),
        due_at = clock_timestamp(), lease_owner = NULL, ended_at = NULL, error = NULL, response_status = NULL
      WHERE id = $1 AND channel_id = $2 AND status <> 'waiting' RETURNING row_to_json(d) AS delivery`;
    return this.one(await runner.run<{ delivery: JsonRow }>(statementOf('notices', text), [id, channelId]));
  }

  private next(before: NoticeChannel, changes: Partial<NoticeChannel>): NoticeChannel {
    return Object.assign(new NoticeChannel(), before, { updatedAt: new Date() }, changes);
  }

  /** Where notices go to by what is asked; undefined where nothing is. */
  private targetOf(kind: ChannelKind, { url, to }: Pick<ChannelSpec, 'url' | 'to'>): string | undefined {
    const [own, other] = kind === 'webhook' ? [url, to] : [to, url];
    if (other !== undefined) {
      const key = kind === 'webhook' ? 'to' : 'url';
      throw Refusal.ofField([key], 'kind', `${key} is not for channels of the kind ${kind}`);
    }
    if (own === undefined) return undefined;
    if (kind === 'mail') {
      if (this.mails.isConfigured) return own;
      throw Refusal.ofField(['kind'], 'kind', 'This server sends no mail: SMTP_URL is not set');
    }
    try {
      return this.addresses.checked(own);
    } catch (error) {
      throw Refusal.ofField(['url'], 'url', `url ${(error as Error).message}`);
    }
  }

  private one([row]: { delivery: JsonRow }[]): NoticeDelivery | undefined {
    return row && this.deliveries.entityOf(row.delivery);
  }
}

function needsTarget(kind: ChannelKind): Refusal {
  const key = kind === 'webhook' ? 'url' : 'to';
  return Refusal.ofField([key], 'isDefined', `${key} is required for channels of the kind ${kind}`);
}

/** What is said of a channel that is not there, or not visible to the caller. */
export function noSuchChannel(): Refusal {
  return new Refusal('notFound', { message: 'No such channel' });
}
