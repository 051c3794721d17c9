import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { ExportsModule } from '../exports/exports.module.js';
import { TokenAdministrationModule } from '../tokens/tokens.module.js';
import { AuditExportController } from './audit-export.controller.js';
import { AuditExport } from './audit-export.service.js';
import { AuditVerificationJob } from './audit-verification.job.js';
import { AuditController } from './audit.controller.js';
import { AuditTrailService } from './audit.service.js';
import { EventSubjects } from './event-subjects.js';
import { PruneEventsTask } from './prune-events.task.js';
import { SealEventsTask } from './seal-events.task.js';
import { SealsController } from './seals.controller.js';
import { SealsService } from './seals.service.js';
import { AuditVerificationService } from './verification.service.js';
import { TokenEventsController } from './token-events.controller.js';
import { TokenEventsService } from './token-events.service.js';

/** `/patois/v1/audit-events`, `/patois/v1/audit-seals`, and the events of a token. */
@Module({
  imports: [AuditModule, JobsModule, TokensModule, ExportsModule, TokenAdministrationModule],
  controllers: [AuditExportController, AuditController, SealsController, TokenEventsController],
  providers: [
    AuditExport,
    AuditVerificationJob,
    AuditTrailService,
    EventSubjects,
    PruneEventsTask,
    SealEventsTask,
    SealsService,
    TokenEventsService,
    AuditVerificationService,
  ],
})
export class AuditAdministrationModule {}
