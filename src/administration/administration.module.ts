import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { NativeModule } from '../native/native.module.js';
import { NoticesModule } from '../notices/notices.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { AuditExportController } from './audit/audit-export.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditExport } from './audit/audit-export.service.js';
import { AuditTrailService } from './audit/audit.service.js';
import { AuditVerificationJob } from './audit/audit-verification.job.js';
import { PruneEventsTask } from './audit/prune-events.task.js';
import { SealEventsTask } from './audit/seal-events.task.js';
import { SealsController } from './audit/seals.controller.js';
import { SealsService } from './audit/seals.service.js';
import { AuditVerificationService } from './audit/verification.service.js';
import { ImportsController } from './imports/imports.controller.js';
import { ImportAdministrationService } from './imports/imports.service.js';
import { Exports } from './exports/exports.js';
import { JobsController } from './jobs/jobs.controller.js';
import { JobAdministrationService } from './jobs/jobs.service.js';
import { GitHubKeys } from './leaks/github-keys.js';
import { GitHubLeaksController } from './leaks/github-leaks.controller.js';
import { GitHubReportService } from './leaks/github-reports.service.js';
import { LeaksController } from './leaks/leaks.controller.js';
import { LeakReportService } from './leaks/leaks.service.js';
import { LocationsController } from './locations/locations.controller.js';
import { LocationsService } from './locations/locations.service.js';
import { MeController } from './me/me.controller.js';
import { MeService } from './me/me.service.js';
import { NoticesController } from './notices/notices.controller.js';
import { NoticeAdministrationService } from './notices/notices.service.js';
import { OrganizationsController } from './organizations/organizations.controller.js';
import { OrganizationsService } from './organizations/organizations.service.js';
import { OwnersController } from './owners/owners.controller.js';
import { OwnersService } from './owners/owners.service.js';
import { PoliciesController } from './policies/policies.controller.js';
import { PolicyAdministrationService } from './policies/policies.service.js';
import { RevocationsController } from './revocations/revocations.controller.js';
import { RevocationAdministrationService } from './revocations/revocations.service.js';
import { TokenBatchController } from './tokens/token-batch.controller.js';
import { TokenExportController } from './tokens/token-export.controller.js';
import { TokenExport } from './tokens/token-export.service.js';
import { TokensController } from './tokens/tokens.controller.js';
import { TokenAdministrationService } from './tokens/tokens.service.js';
import { UsersController } from './users/users.controller.js';
import { UserAdministrationService } from './users/users.service.js';

/** `/patois/v1`: accounts, tokens of every dialect, and the audit trail. */
@Module({
  imports: [
    AccountsModule,
    AuditModule,
    AuthModule,
    DecisionsModule,
    JobsModule,
    NativeModule,
    NoticesModule,
    TokensModule,
  ],
  controllers: [
    AuditController,
    AuditExportController,
    GitHubLeaksController,
    ImportsController,
    JobsController,
    LeaksController,
    MeController,
    NoticesController,
    OrganizationsController,
    LocationsController,
    OwnersController,
    PoliciesController,
    RevocationsController,
    SealsController,
    TokenBatchController,
    TokenExportController,
    TokensController,
    UsersController,
  ],
  providers: [
    AuditExport,
    AuditTrailService,
    GitHubKeys,
    GitHubReportService,
    AuditVerificationJob,
    AuditVerificationService,
    ImportAdministrationService,
    Exports,
    JobAdministrationService,
    LeakReportService,
    LocationsService,
    MeService,
    NoticeAdministrationService,
    OrganizationsService,
    OwnersService,
    PolicyAdministrationService,
    RevocationAdministrationService,
    PruneEventsTask,
    SealEventsTask,
    SealsService,
    TokenAdministrationService,
    TokenExport,
    UserAdministrationService,
  ],
})
export class AdministrationModule {}
