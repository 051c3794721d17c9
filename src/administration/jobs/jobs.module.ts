import { Module } from '@nestjs/common';
import { JobsModule } from '../../jobs/jobs.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { JobsController } from './jobs.controller.js';
import { JobAdministrationService } from './jobs.service.js';

/** `/patois/v1/jobs`. */
@Module({
  imports: [JobsModule, TokensModule],
  controllers: [JobsController],
  providers: [JobAdministrationService],
})
export class JobAdministrationModule {}
