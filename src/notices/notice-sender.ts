import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../database/database.js';
import { isDatabaseUnavailable } from '../database/errors.js';
import { DATABASE } from '../database/database.module.js';
import { Poll } from '../jobs/poll.js';
import { DeliveryQueue, type Shipment } from './delivery-queue.js';
import type { ChannelKind } from './notice-channel.entity.js';
import { MailSender } from './mail/mail-sender.js';
import { Outbox } from './outbox.js';
import type { Outcome } from './outcome.js';
import { backOff, NOTICE_TIMING, type NoticeTiming } from './timing.js';
import { WebhookSender } from './webhook/webhook-sender.js';

/** Messages under way at once: a receiver that hangs takes one of them for ten seconds. */
const LANES: { kind: ChannelKind; places: number }[] = [
  { kind: 'webhook', places: 16 },
  { kind: 'mail', places: 4 },
];
/** How long a shutdown waits for receivers. */
const MAX_SHUTDOWN_MS = 2_000;

/** What a message has come to. */
type How = 'delivered' | 'retried' | 'failed';

/**
 * Sends what is in the outbox, on every replica, at least once, and to each channel in order: of a channel one message is
 * under way, and a later one waits for it. Nothing of it is part of a request, and no transaction is open meanwhile.
 */
@Injectable()
export class NoticeSender
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly logger = new Logger(NoticeSender.name);
  private readonly underWay = new Set<{ kind: ChannelKind; done: Promise<void> }>();
  private readonly ending = new AbortController();
  private readonly counted = new Map<string, { kind: ChannelKind; how: How; count: number }>();
  private readonly polling = new Poll(
    () => this.timing.pollMs,
    () => this.poll(),
  );
  private isEnding = false;
  private ended: Promise<void> | undefined;

  /** For how long the oldest notice of all has been waiting, as of the last look. */
  oldestSeconds = 0;

  constructor(
    private readonly queue: DeliveryQueue,
    private readonly outbox: Outbox,
    private readonly webhooks: WebhookSender,
    private readonly mails: MailSender,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(NOTICE_TIMING) private readonly timing: NoticeTiming,
  ) {}

  /** What this process has sent so far, by kind of channel and what came of it. */
  get sums(): readonly { kind: ChannelKind; how: How; count: number }[] {
    return [...this.counted.values()];
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.database.isEmbedded) await this.queue.endLeases();
    this.runSoon();
  }

  /** Sends nothing more: what is under way ends while the last requests do. */
  beforeApplicationShutdown(): void {
    this.ended ??= this.end();
  }

  onApplicationShutdown(): Promise<void> {
    return (this.ended ??= this.end());
  }

  /** What is under way has a moment to end; then it is given back, and sent again by another replica or the next start. */
  private async end(): Promise<void> {
    this.isEnding = true;
    await this.polling.end();
    const ended = Promise.all([...this.underWay].map(({ done }) => done));
    const patience = new AbortController();
    const tooLong = pause(MAX_SHUTDOWN_MS, true, { signal: patience.signal }).catch(() => false);
    if (await Promise.race([ended.then(() => false), tooLong])) {
      this.ending.abort();
      // Mail servers are not to be interrupted: what they have taken by now is sent once more.
      await Promise.race([ended, pause(MAX_SHUTDOWN_MS)]);
    }
    patience.abort();
  }

  /** Looks for what is due without waiting for the next time. */
  runSoon(): void {
    this.polling.soon();
  }

  private async poll(): Promise<void> {
    try {
      const { wanted, oldestSeconds } = await this.queue.look();
      this.outbox.noteWanted(wanted);
      this.oldestSeconds = oldestSeconds ?? 0;
      if (oldestSeconds === null) return;
      for (const { kind, places } of LANES) {
        const free = places - [...this.underWay].filter((one) => one.kind === kind).length;
        if (free === 0 || this.isEnding) continue;
        for (const shipment of await this.queue.take(kind, free)) this.begin(kind, shipment);
      }
    } catch (error) {
      if (!isDatabaseUnavailable(error))
        this.logger.warn(`Notices could not be looked for: ${String(error)}`);
    }
  }

  private begin(kind: ChannelKind, shipment: Shipment): void {
    const one = { kind, done: Promise.resolve() };
    one.done = this.ship(kind, shipment)
      // The lease runs out, and it is sent again.
      .catch((error: unknown) => this.logger.warn(`A notice was not noted as sent: ${String(error)}`))
      .then(() => {
        this.underWay.delete(one);
        this.runSoon();
      });
    this.underWay.add(one);
  }

  private async ship(kind: ChannelKind, shipment: Shipment): Promise<void> {
    const { channel, deliveries } = shipment;
    if (kind === 'mail') deliveries.push(...(await this.queue.takeAlong(shipment)));
    const outcome = await this.send(shipment);
    if (this.ending.signal.aborted && outcome.error !== undefined) return this.queue.release(shipment);
    if (outcome.error === undefined) {
      await this.queue.delivered(shipment, outcome.responseStatus ?? null);
      this.count(kind, 'delivered', deliveries.length);
      return;
    }
    const { error, responseStatus, retryAfterMs, isFinal = false, disables } = outcome;
    const failures = (channel?.failures ?? deliveries[0].attempts) + 1;
    const delayMs = backOff(failures, this.timing, retryAfterMs);
    const isOver = isFinal || disables !== undefined;
    const givenUp = await this.queue.failed(shipment, { error, responseStatus, delayMs, isFinal: isOver });
    if (disables !== undefined) await this.queue.disable(shipment, disables);
    this.count(kind, 'failed', givenUp);
    if (givenUp === 0) this.count(kind, 'retried', deliveries.length);
  }

  private async send({ channel, ownerAddress, deliveries }: Shipment): Promise<Outcome> {
    const [first] = deliveries;
    if (channel?.kind === 'webhook') return this.webhooks.send(channel, first, this.ending.signal);
    const to = channel ? channel.target : ownerAddress;
    if (to === null) return { error: 'The owner has no address', isFinal: true };
    return this.mails.send(to, deliveries);
  }

  private count(kind: ChannelKind, how: How, count: number): void {
    if (count === 0) return;
    const key = `${kind} ${how}`;
    const known = this.counted.get(key);
    if (known) known.count += count;
    else this.counted.set(key, { kind, how, count });
  }
}
