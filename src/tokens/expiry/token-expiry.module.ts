import { Module } from '@nestjs/common';
import { JobsModule } from '../../jobs/jobs.module.js';
import { NoticesModule } from '../../notices/notices.module.js';
import { ExpiryNoticesTask } from './expiry-notices.task.js';

/** What is told of tokens that expire. */
@Module({
  imports: [JobsModule, NoticesModule],
  providers: [ExpiryNoticesTask],
})
export class TokenExpiryModule {}
