import { Module } from '@nestjs/common';
import { Schedule } from './schedule.js';

/** For the modules that have scheduled tasks. */
@Module({ providers: [Schedule], exports: [Schedule] })
export class JobsModule {}
