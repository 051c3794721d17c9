import { Module } from '@nestjs/common';
import { AssetsController } from './assets.controller.js';

/** Serves the console. */
@Module({ controllers: [AssetsController] })
export class AssetsModule {}
