import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Transporter } from 'nodemailer';
import { CONFIG, type Config } from '../../config.js';
import type { NoticeDelivery } from '../notice-delivery.entity.js';
import type { Outcome } from '../outcome.js';
import { NOTICE_TIMING, type NoticeTiming } from '../timing.js';
import { mailOf } from './mail-text.js';

/** Sends mails through the server that the settings name. */
@Injectable()
export class MailSender implements OnApplicationShutdown {
  private transport: Promise<Transporter> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(NOTICE_TIMING) private readonly timing: NoticeTiming,
  ) {}

  /** Whether mail goes out at all. */
  get isConfigured(): boolean {
    return this.config.smtpUrl !== undefined;
  }

  async send(to: string, deliveries: readonly NoticeDelivery[]): Promise<Outcome> {
    const { smtpUrl, mailFrom = '', publicUrl } = this.config;
    if (smtpUrl === undefined) return { error: 'No mail server is configured (SMTP_URL)' };
    try {
      const transport = await (this.transport ??= this.connect(smtpUrl));
      await transport.sendMail({
        from: mailFrom,
        // As an object: a text would be parsed, and might be several.
        to: { name: '', address: to },
        messageId: `<${deliveries[0]?.id}@patois>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        ...mailOf(deliveries, publicUrl),
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      return {};
    } catch (error) {
      return outcomeOf(error as Error & { code?: string; responseCode?: number });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    (await this.transport)?.close();
  }

  private async connect(url: string): Promise<Transporter> {
    // Loaded only where mail is sent.
    const { createTransport } = await import('nodemailer');
    const { timeoutMs } = this.timing;
    const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
    return createTransport({ url, ...timeouts, dnsTimeout: timeoutMs });
  }
}

/** What a server says of an address it says once and for all (RFC 5321, 4.2.1): anything else may be another thing later. */
function outcomeOf({ code, responseCode }: { code?: string; responseCode?: number }): Outcome {
  const status = responseCode === undefined ? '' : ` ${responseCode}`;
  const isFinal = code === 'EENVELOPE' && responseCode !== undefined && responseCode >= 500;
  // Of its text nothing is kept: it may say anything.
  return { error: `The mail server did not take it (${code ?? 'unknown'}${status})`, isFinal };
}
