import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AssetsController } from './assets/assets.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SignInModule } from './sign-in/sign-in.module.js';

/** The console: the web application as it was built, and how people sign in to it. All else it does by the API that everybody has. */
@Module({ imports: [AuthModule, SignInModule], controllers: [AssetsController, SessionsController] })
export class ConsoleModule {}
