import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AssetsController } from './assets/assets.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';

/** The console: the web application as it was built, and how people sign in to it. All else it does by the API that everybody has. */
@Module({ imports: [AuthModule], controllers: [AssetsController, SessionsController] })
export class ConsoleModule {}
