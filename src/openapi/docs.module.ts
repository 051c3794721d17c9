import { Module } from '@nestjs/common';
import { DocsController } from './docs.controller.js';
import { IndexController } from './index.controller.js';

@Module({ controllers: [DocsController, IndexController] })
export class DocsModule {}
