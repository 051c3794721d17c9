import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { DialectRegistry } from '../access/dialect.js';
import { AuditController } from './audit.controller.js';
import { MeController } from './me.controller.js';
import { OwnPassword } from './own-password.js';
import { PatoisDialect } from './patois.dialect.js';
import { PlacesController } from './places.controller.js';
import { TokenAdministration } from './token-administration.js';
import { TokensController } from './tokens.controller.js';
import { UserAdministration } from './user-administration.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [AccountsModule],
  controllers: [AuditController, MeController, PlacesController, TokensController, UsersController],
  providers: [OwnPassword, TokenAdministration, UserAdministration],
  exports: [AccountsModule],
})
export class AdministrationModule {
  constructor(registry: DialectRegistry) {
    registry.registerDialect(new PatoisDialect(registry));
  }
}
