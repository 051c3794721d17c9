import { Module } from '@nestjs/common';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { BatchController } from './batch.controller.js';

/** `/patois/v1/verifications`. */
@Module({ imports: [DecisionsModule], controllers: [BatchController] })
export class BatchModule {}
