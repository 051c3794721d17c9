import { Module } from '@nestjs/common';
import { JobRunner } from './job-runner.js';

/** For the modules that have jobs. */
@Module({ providers: [JobRunner], exports: [JobRunner] })
export class JobsModule {}
