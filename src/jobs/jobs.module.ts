import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { JOB_TIMING, JobRunner, TIMING } from './job-runner.js';
import { JobStore } from './job-store.js';
import { Jobs } from './jobs.js';
import { PurgeJobsTask } from './purge-jobs.task.js';
import { Schedule } from './schedule.js';

/** For the modules that have scheduled tasks, or jobs. */
@Module({
  imports: [AuditModule],
  providers: [JobRunner, JobStore, Jobs, PurgeJobsTask, Schedule, { provide: JOB_TIMING, useValue: TIMING }],
  exports: [JobRunner, Jobs, Schedule],
})
export class JobsModule {}
