import { Module } from '@nestjs/common';
import { DialectsController } from './dialects.controller.js';

/** `/patois/v1/dialects`. */
@Module({ controllers: [DialectsController] })
export class DialectsModule {}
