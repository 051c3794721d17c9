import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { DeliveryQueue } from './delivery-queue.js';
import { ForgetDeliveriesTask } from './forget-deliveries.task.js';
import { MailSender } from './mail/mail-sender.js';
import { NoticeChannels } from './notice-channels.js';
import { NoticeSender } from './notice-sender.js';
import { Outbox } from './outbox.js';
import { NOTICE_TIMING, TIMING } from './timing.js';
import { NameLookup } from './webhook/name-lookup.js';
import { WebhookAddresses } from './webhook/webhook-address.js';
import { WebhookPost } from './webhook/webhook-post.js';
import { WebhookSender } from './webhook/webhook-sender.js';

/** What is told to others, and how. */
@Module({
  imports: [AuditModule, JobsModule],
  providers: [
    DeliveryQueue,
    ForgetDeliveriesTask,
    MailSender,
    NameLookup,
    NoticeChannels,
    NoticeSender,
    Outbox,
    WebhookAddresses,
    WebhookPost,
    WebhookSender,
    { provide: NOTICE_TIMING, useFactory: () => ({ ...TIMING }) },
  ],
  exports: [DeliveryQueue, NoticeChannels, NoticeSender, Outbox],
})
export class NoticesModule {}
