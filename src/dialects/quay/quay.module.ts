import { Inject, Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { CONFIG, type Config } from '../../config.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { QuayController } from './quay.controller.js';
import { QuayDescriptionController } from './quay.description.controller.js';
import { QuayDialect } from './quay.dialect.js';
import { SealedCopies } from './quay.sealed-copies.js';
import { QuayCsrfController, QuaySessionController } from './quay.session.controller.js';
import { QuaySessions } from './quay.sessions.js';

@Module({
  controllers: [QuayController, QuayDescriptionController, QuayCsrfController, QuaySessionController],
  providers: [
    SealedCopies,
    {
      provide: QuaySessions,
      inject: [HashingService, CONFIG],
      useFactory: (hashing: HashingService, config: Config) => new QuaySessions(hashing, config),
    },
  ],
})
export class QuayModule {
  constructor(registry: DialectRegistry, @Inject(CONFIG) config: Config, sessions: QuaySessions) {
    registry.registerDialect(new QuayDialect(config, sessions));
  }
}
