import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/auth.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { TokenInventoryModule } from '../../tokens/inventory/token-inventory.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { QuayController } from './quay.controller.js';
import { QuayDescriptionController } from './quay.description.controller.js';
import { QuayDialect } from './quay.dialect.js';
import { QuayCsrfController, QuaySessionController } from './quay.session.controller.js';
import { QuaySessions } from './quay.sessions.js';
import { SealedCopiesTask } from './sealed-copies.task.js';

@Module({
  imports: [AuthModule, JobsModule, TokenInventoryModule, TokensModule],
  controllers: [QuayController, QuayDescriptionController, QuayCsrfController, QuaySessionController],
  providers: [QuayDialect, QuaySessions, SealedCopiesTask],
})
export class QuayModule {
  constructor(registry: DialectRegistry, dialect: QuayDialect) {
    registry.registerDialect(dialect);
  }
}
