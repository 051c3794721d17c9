import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Organization } from '../../accounts/organization.entity.js';
import { findPlace } from '../../accounts/references.js';
import { type AuditEntry, AuditWriter } from '../../audit/audit.writer.js';
import type { Principal } from '../../auth/principal.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import { type Transaction, Transactions } from '../../database/transactions.js';
import { isUuid } from '../../database/uuid.js';
import { isGoodText } from '../../http/validation/text.js';
import type { ListQuery } from '../../native/list.dto.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { DeliveryQueue } from '../../notices/delivery-queue.js';
import { auditView, type NoticeChannel } from '../../notices/notice-channel.entity.js';
import { NoticeChannels, noSuchChannel } from '../../notices/notice-channels.js';
import type { NoticeDelivery } from '../../notices/notice-delivery.entity.js';
import { NoticeSender } from '../../notices/notice-sender.js';
import { Refusal } from '../../refusal.js';
import { Admission, lacksScope } from '../../tokens/authority/admission.js';
import type { CreateNoticeChannel, ListDeliveriesQuery, UpdateNoticeChannel } from './notices.dto.js';

/** Who sets a channel up is told of tokens by it, from then on and wherever it leads: that they must be able to read. */
const TELLS = { dialect: PATOIS, scopes: ['patois:tokens.read'], allowedCidrs: [], expiresAt: null };

/** A caller, as it came or as it is at the write. */
interface Administering {
  isAdministrator: boolean;
  administers(organizationId: string): boolean;
}

interface Change<Result> {
  /** Whether the caller decides what is told to whom. */
  decides?: boolean;
  make: (transaction: Transaction, before: NoticeChannel) => Promise<Result>;
}

/** Channels, for administrators: of everything all, of an organization those of their own. */
@Injectable()
export class NoticeAdministrationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly admission: Admission,
    private readonly audit: AuditWriter,
    private readonly channels: NoticeChannels,
    private readonly queue: DeliveryQueue,
    private readonly sender: NoticeSender,
  ) {}

  /** @throws {Refusal} forbidden for a member. */
  async list(caller: Principal, { cursor, limit }: ListQuery): Promise<Page<NoticeChannel>> {
    caller.assertAdministers();
    const query = this.channels.query();
    if (!caller.isAdministrator) query.andWhere({ organizationId: caller.user.organizationId });
    return readPage(query, newestFirst('channel.createdAt'), cursor, limit);
  }

  /** @throws {Refusal} forbidden for a member; notFound, also for a channel that the caller may not see. */
  async get(caller: Principal, id: string): Promise<NoticeChannel> {
    caller.assertAdministers();
    const channel = isUuid(id) ? await this.channels.query().where({ id }).getOne() : null;
    if (!channel || !isAdministered(caller, channel)) throw noSuchChannel();
    return channel;
  }

  /**
   * Makes a channel. The secret is to be shown once.
   *
   * @throws {Refusal} invalid; forbidden for a member, for what another organization does, and for a token that could not
   *   read what is told, or not for as long or from wherever it is told; conflict for more than there may be.
   */
  async create(
    caller: Principal,
    { organization: reference, ...spec }: CreateNoticeChannel,
  ): Promise<{ channel: NoticeChannel; secret: string | undefined }> {
    caller.assertAdministers();
    const organization = await this.organizationOf(caller, reference);
    const made = this.channels.make({ ...spec, organizationId: organization?.id ?? null });
    const { channel } = made;
    await this.transactions.run(caller.user.id, async (transaction) => {
      const { powers } = await this.admission.admit(transaction, caller);
      if (!isAdministered(powers, channel)) throw foreign();
      powers.assertCovers(TELLS);
      await this.channels.insert(transaction, channel);
      await this.note(transaction, caller, 'noticeChannel.create', {
        id: channel.id,
        after: auditView(channel),
      });
    });
    channel.organization = organization;
    return made;
  }

  /** @throws {Refusal} as {@link get} and {@link create}. */
  async update(caller: Principal, id: string, body: UpdateNoticeChannel): Promise<NoticeChannel> {
    const { organization } = await this.get(caller, id);
    const { enabled, ...others } = body;
    const decides = enabled === true || Object.values(others).some((value) => value !== undefined);
    const make = async (transaction: Transaction, before: NoticeChannel): Promise<NoticeChannel> => {
      const after = this.channels.changed(before, body);
      await this.channels.update(transaction, after);
      if (after.enabled) await this.queue.hurry(transaction, id);
      else await this.queue.giveUpAll(transaction, id, 'The channel was disabled');
      const views = {
        before: auditView(before),
        after: { ...auditView(after), ...targetChange(before, after) },
      };
      await this.note(transaction, caller, 'noticeChannel.update', { id, ...views });
      return after;
    };
    const after = await this.change(caller, id, { decides, make });
    return Object.assign(after, { organization });
  }

  /** @throws {Refusal} as {@link get}; conflict for what has no secret. */
  async rotateSecret(
    caller: Principal,
    id: string,
    graceSeconds: number,
  ): Promise<{ channel: NoticeChannel; secret: string }> {
    const { organization } = await this.get(caller, id);
    const make = async (
      transaction: Transaction,
      before: NoticeChannel,
    ): Promise<{ channel: NoticeChannel; secret: string }> => {
      const rotated = this.channels.withNewSecret(before, graceSeconds);
      await this.channels.update(transaction, rotated.channel);
      const after = { previousSecretUntil: rotated.channel.previousSecretUntil };
      await this.note(transaction, caller, 'noticeChannel.rotateSecret', { id, after });
      return rotated;
    };
    const rotated = await this.change(caller, id, { decides: true, make });
    rotated.channel.organization = organization;
    return rotated;
  }

  /** @throws {Refusal} as {@link get}. */
  async delete(caller: Principal, id: string): Promise<void> {
    await this.get(caller, id);
    await this.change(caller, id, {
      make: async (transaction, before) => {
        await this.channels.delete(transaction, id);
        await this.note(transaction, caller, 'noticeChannel.delete', { id, before: auditView(before) });
      },
    });
  }

  /**
   * Sends a notice that says nothing. What waits before it is sent at once as well.
   *
   * @throws {Refusal} as {@link get}; conflict for a channel that is disabled.
   */
  async test(caller: Principal, id: string): Promise<NoticeDelivery> {
    await this.get(caller, id);
    return this.change(caller, id, {
      make: async (transaction, channel) => {
        assertEnabled(channel);
        const delivery = await this.channels.queueTest(transaction, channel);
        await this.queue.hurry(transaction, id);
        await this.note(transaction, caller, 'noticeChannel.test', { id, after: { delivery: delivery.id } });
        return delivery;
      },
    });
  }

  /** @throws {Refusal} as {@link get}. */
  async deliveries(
    caller: Principal,
    id: string,
    { cursor, limit, status }: ListDeliveriesQuery,
  ): Promise<Page<NoticeDelivery>> {
    await this.get(caller, id);
    const query = this.channels.deliveriesOf(id);
    if (status !== undefined) query.andWhere({ status });
    return readPage(query, newestFirst('delivery.queuedAt'), cursor, limit);
  }

  /**
   * Sends a notice once more that was delivered or given up.
   *
   * @throws {Refusal} as {@link get}; notFound for a delivery that is not the channel's; conflict for one that waits, and
   *   for a channel that is disabled.
   */
  async redeliver(caller: Principal, id: string, deliveryId: string): Promise<NoticeDelivery> {
    if (!caller.covers(PATOIS, TELLS.scopes)) throw lacksScope(TELLS.scopes);
    await this.get(caller, id);
    const known =
      isUuid(deliveryId) && (await this.channels.deliveriesOf(id).andWhere({ id: deliveryId }).getExists());
    if (!known) throw new Refusal('notFound', { message: 'No such delivery' });
    return this.change(caller, id, {
      make: async (transaction, channel) => {
        assertEnabled(channel);
        const delivery = await this.channels.queueAgain(transaction, id, deliveryId);
        if (!delivery) throw new Refusal('conflict', { message: 'The notice is on its way already' });
        await this.queue.hurry(transaction, id);
        await this.note(transaction, caller, 'notice.redeliver', { id, after: { delivery: deliveryId } });
        return delivery;
      },
    });
  }

  /** Changes a channel, under its lock, if the caller still may. */
  private async change<Result>(
    caller: Principal,
    id: string,
    { decides, make }: Change<Result>,
  ): Promise<Result> {
    const changed = await this.transactions.run(caller.user.id, async (transaction) => {
      const { powers } = await this.admission.admit(transaction, caller);
      const before = await this.channels.lock(transaction, id);
      if (!before || !isAdministered(powers, before)) throw noSuchChannel();
      if (decides) powers.assertCovers(TELLS);
      return make(transaction, before);
    });
    this.sender.runSoon();
    return changed;
  }

  private async note(
    transaction: Transaction,
    caller: Principal,
    action: AuditEntry['action'],
    { id, ...views }: { id: string } & Pick<AuditEntry, 'before' | 'after'>,
  ): Promise<void> {
    const object = { type: 'noticeChannel', id };
    await this.audit.write(transaction.last, { actor: caller.actor, action, object, ...views });
  }

  /** Null: all of them. */
  private async organizationOf(
    caller: Principal,
    reference: string | null | undefined,
  ): Promise<Organization | null> {
    if (caller.isAdministrator && (reference ?? null) === null) return null;
    if (reference === null) throw foreign();
    const found =
      reference === undefined || isGoodText(reference)
        ? await findPlace(this.dataSource.manager, Organization, reference ?? caller.user.organizationId)
        : null;
    if (found && caller.administers(found.id)) return found;
    if (!caller.isAdministrator) throw foreign();
    throw Refusal.ofField(['organization'], 'exists', 'organization must be one that exists');
  }
}

function isAdministered(caller: Administering, { organizationId }: NoticeChannel): boolean {
  return organizationId === null ? caller.isAdministrator : caller.administers(organizationId);
}

/** The address of a webhook is not kept in the trail, but that it is another one. */
function targetChange(before: NoticeChannel, after: NoticeChannel): Record<string, unknown> {
  return before.kind === 'webhook' && before.target !== after.target ? { urlChanged: true } : {};
}

function assertEnabled({ enabled }: NoticeChannel): void {
  if (!enabled) throw new Refusal('conflict', { message: 'The channel is disabled' });
}

function foreign(): Refusal {
  const message = 'You administer your own organization alone';
  return new Refusal('forbidden', { reason: 'outsideOrganization', message });
}
