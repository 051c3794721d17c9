import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { TokensModule } from '../tokens.module.js';
import { ForgetTargetsTask } from './forget-targets.task.js';
import { RevocationPreview } from './revocation-preview.js';
import { RevocationTargets } from './revocation-targets.js';
import { RevocationJob } from './revocation.job.js';
import { Revocations } from './revocations.js';

/** The end of many tokens. */
@Module({
  imports: [AuditModule, JobsModule, TokensModule],
  providers: [ForgetTargetsTask, RevocationJob, RevocationPreview, Revocations, RevocationTargets],
  exports: [RevocationPreview, Revocations],
})
export class TokenRevocationsModule {}
