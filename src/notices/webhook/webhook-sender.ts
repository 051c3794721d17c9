import { Inject, Injectable } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { HashingService } from '../../hashing/hashing.service.js';
import { TRACING, type Tracing } from '../../tracing.js';
import type { NoticeChannel } from '../notice-channel.entity.js';
import type { NoticeDelivery } from '../notice-delivery.entity.js';
import type { Outcome } from '../outcome.js';
import { NOTICE_TIMING, type NoticeTiming } from '../timing.js';
import { UnansweredError, type WebhookAnswer, WebhookPost } from './webhook-post.js';
import { bindingOf } from './webhook-secret.js';

/** Sends notices as the Standard Webhooks specification has it (https://www.standardwebhooks.com). */
@Injectable()
export class WebhookSender {
  constructor(
    private readonly hashing: HashingService,
    private readonly post: WebhookPost,
    @Inject(NOTICE_TIMING) private readonly timing: NoticeTiming,
    @Inject(TRACING) private readonly tracing: Tracing,
  ) {}

  async send(channel: NoticeChannel, delivery: NoticeDelivery, signal: AbortSignal): Promise<Outcome> {
    const sentAt = new Date();
    const secrets = this.secretsOf(channel, sentAt);
    if (!secrets) return { error: 'The key that the secret was sealed under has left TOKEN_KEYS' };
    const { id, event, occurredAt, data } = delivery;
    const body = JSON.stringify({ type: event, timestamp: occurredAt.toISOString(), data });
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Patois',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, sentAt, body)).join(' '),
    };
    try {
      const { status, retryAfterMs } = await this.posted(channel.target, event, headers, body, signal);
      return outcomeOf(status, retryAfterMs);
    } catch (error) {
      if (error instanceof UnansweredError) return { error: error.message };
      throw error;
    }
  }

  /** A trace of its own: the change that the notice tells of is long over. Its receiver may go on with it. */
  private posted(
    target: string,
    event: string,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<WebhookAnswer> {
    const attributes = { 'http.request.method': 'POST', 'patois.notice.event': event };
    return this.tracing.root({ name: 'webhook', kind: 'client', attributes }, async (span) => {
      const { timeoutMs } = this.timing;
      const all = { ...headers, ...this.tracing.outgoing() };
      const answer = await this.post.send(target, all, body, { timeoutMs, signal });
      span.set({ 'http.response.status_code': answer.status });
      return answer;
    });
  }

  /** The current one, and while the rotation lasts the one before; undefined where they do not open. */
  private secretsOf(channel: NoticeChannel, now: Date): string[] | undefined {
    const { id, sealedSecret, sealedPreviousSecret, previousSecretUntil } = channel;
    const isRotating =
      sealedPreviousSecret !== null && previousSecretUntil !== null && previousSecretUntil > now;
    const sealed = isRotating ? [sealedSecret, sealedPreviousSecret] : [sealedSecret];
    const secrets = sealed.flatMap((one) =>
      one === null ? [] : (this.hashing.open(one, bindingOf(id)) ?? []),
    );
    return secrets.length > 0 ? secrets : undefined;
  }
}

function outcomeOf(status: number, retryAfterMs: number | undefined): Outcome {
  if (status >= 200 && status < 300) return { responseStatus: status };
  if (status >= 300 && status < 400) {
    return { error: `Answered ${status}: redirects are not followed`, responseStatus: status };
  }
  const error = `Answered ${status}`;
  if (status === 410) return { error, responseStatus: status, disables: 'The receiver answered 410 Gone' };
  const isAsking = status === 429 || status === 503;
  return { error, responseStatus: status, retryAfterMs: isAsking ? retryAfterMs : undefined };
}
