import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { AuditModule } from '../../audit/audit.module.js';
import { AuthModule } from '../../auth/auth.module.js';
import { NativeModule } from '../../native/native.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { PendingSignIns } from './pending-sign-in.js';
import { ProviderClients } from './provider-clients.js';
import { SignedInUsers } from './signed-in-users.js';
import { SignInController } from './sign-in.controller.js';
import { SignInProvidersController } from './sign-in-providers.controller.js';
import { SignIns } from './sign-ins.js';

/** `/console/sign-in/{provider}` and `/patois/v1/sign-in-providers`. */
@Module({
  imports: [NativeModule, AccountsModule, AuditModule, AuthModule, TokensModule],
  controllers: [SignInController, SignInProvidersController],
  providers: [ProviderClients, PendingSignIns, SignedInUsers, FailedSignIns, SignIns],
})
export class SignInModule {}
