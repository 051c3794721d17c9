import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountsModule } from '../accounts/accounts.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { CONFIG, type Config } from '../config.js';
import { BatchedLookup } from '../database/batched-lookup.js';
import { ChangeFeed } from '../database/changes/change-feed.js';
import { ChangeListener } from '../database/changes/change-listener.js';
import type { Database } from '../database/database.js';
import { DATABASE } from '../database/database.module.js';
import { Statements } from '../database/statements.js';
import { HashingService } from '../hashing/hashing.service.js';
import { SlowChecks } from '../hashing/slow-checks.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { NoticesModule } from '../notices/notices.module.js';
import { TRACING, type Tracing } from '../tracing.js';
import { Admission } from './authority/admission.js';
import { TokenExpiryModule } from './expiry/token-expiry.module.js';
import { ForgetOutcomesTask } from './idempotency/forget-outcomes.task.js';
import { Idempotency } from './idempotency/idempotency.js';
import { ImportedForms } from './imports/imported-forms.js';
import { IMPORTED_LOOKUP, ImportedValues } from './imports/imported-values.js';
import { OwnerDeletionJob } from './owner-deletion.job.js';
import { Owners } from './owners.js';
import { PolicyBreaches } from './policy/policy-breaches.js';
import { PolicyConformanceJob } from './policy/policy-conformance.job.js';
import { PolicyEnforcement } from './policy/policy-enforcement.js';
import { PolicyPreview } from './policy/policy-preview.js';
import { PolicyRows } from './policy/policy-rows.js';
import { PolicyService } from './policy/policy.service.js';
import { UnusedTokensJob } from './policy/unused-tokens.job.js';
import { UnusedTokensTask } from './policy/unused-tokens.task.js';
import { ForgetRetiredTask } from './rotation/forget-retired.task.js';
import { RETIRED_LOOKUP, RetiredValues } from './rotation/retired-values.js';
import { LOOKUP_SQL, type LookupRow, TokenLookup } from './token-lookup.js';
import { TokenReads } from './token-reads.js';
import { TokenRows } from './token-rows.js';
import { TokenWrites } from './token-writes.js';
import { TokenService } from './token.service.js';

const LOOKUP = { name: 'verify', text: LOOKUP_SQL, keyOf: (row: LookupRow) => row.token_id };

@Module({
  imports: [AccountsModule, AuditModule, JobsModule, NoticesModule, TokenExpiryModule],
  providers: [
    Admission,
    ForgetOutcomesTask,
    ForgetRetiredTask,
    Idempotency,
    OwnerDeletionJob,
    Owners,
    PolicyBreaches,
    PolicyConformanceJob,
    PolicyEnforcement,
    PolicyPreview,
    PolicyRows,
    PolicyService,
    UnusedTokensJob,
    UnusedTokensTask,
    TokenReads,
    TokenRows,
    TokenService,
    TokenWrites,
    {
      provide: RetiredValues,
      inject: [DATABASE, DataSource, Statements, HashingService, TRACING],
      useFactory: (
        database: Database,
        dataSource: DataSource,
        statements: Statements,
        hashing: HashingService,
        tracing: Tracing,
      ) => {
        const lookup = BatchedLookup.of(database, dataSource, RETIRED_LOOKUP, tracing);
        return new RetiredValues(lookup, statements, hashing);
      },
    },
    {
      provide: ImportedForms,
      inject: [Statements, HashingService, ChangeListener, ChangeFeed, CONFIG],
      useFactory: (
        statements: Statements,
        hashing: HashingService,
        { replication }: ChangeListener,
        feed: ChangeFeed,
        { verificationMaxStalenessSeconds: seconds }: Config,
      ) => new ImportedForms(statements, hashing, replication, seconds * 1000, feed),
    },
    {
      provide: ImportedValues,
      inject: [DATABASE, DataSource, ImportedForms, Statements, HashingService, SlowChecks, TRACING],
      useFactory: (
        database: Database,
        dataSource: DataSource,
        forms: ImportedForms,
        statements: Statements,
        hashing: HashingService,
        checks: SlowChecks,
        tracing: Tracing,
      ) => {
        const lookup = BatchedLookup.of(database, dataSource, IMPORTED_LOOKUP, tracing);
        return new ImportedValues(forms, lookup, statements, hashing, checks);
      },
    },
    {
      provide: TokenLookup,
      inject: [DATABASE, DataSource, HashingService, RetiredValues, ImportedValues, TRACING],
      useFactory: (
        database: Database,
        dataSource: DataSource,
        hashing: HashingService,
        retired: RetiredValues,
        imported: ImportedValues,
        tracing: Tracing,
      ) => {
        const lookup = BatchedLookup.of(database, dataSource, LOOKUP, tracing);
        return new TokenLookup(lookup, hashing, dataSource, retired, imported);
      },
    },
  ],
  exports: [
    Admission,
    Idempotency,
    ImportedValues,
    Owners,
    PolicyEnforcement,
    PolicyPreview,
    PolicyService,
    RetiredValues,
    TokenRows,
    TokenService,
    TokenLookup,
    TokenWrites,
  ],
})
export class TokensModule {}
