import { Module } from '@nestjs/common';
import { NativeModule } from '../native/native.module.js';
import { AuditAdministrationModule } from './audit/audit.module.js';
import { DialectsModule } from './dialects/dialects.module.js';
import { ImportsModule } from './imports/imports.module.js';
import { JobAdministrationModule } from './jobs/jobs.module.js';
import { LeaksModule } from './leaks/leaks.module.js';
import { LocationsModule } from './locations/locations.module.js';
import { MeModule } from './me/me.module.js';
import { NoticeAdministrationModule } from './notices/notices.module.js';
import { OrganizationsModule } from './organizations/organizations.module.js';
import { OwnersModule } from './owners/owners.module.js';
import { PoliciesModule } from './policies/policies.module.js';
import { RevocationsModule } from './revocations/revocations.module.js';
import { TokenAdministrationModule } from './tokens/tokens.module.js';
import { UsersModule } from './users/users.module.js';

/** `/patois/v1`: accounts, tokens of every dialect, and the audit trail. */
@Module({
  imports: [
    NativeModule,
    AuditAdministrationModule,
    DialectsModule,
    ImportsModule,
    JobAdministrationModule,
    LeaksModule,
    LocationsModule,
    MeModule,
    NoticeAdministrationModule,
    OrganizationsModule,
    OwnersModule,
    PoliciesModule,
    RevocationsModule,
    TokenAdministrationModule,
    UsersModule,
  ],
})
export class AdministrationModule {}
