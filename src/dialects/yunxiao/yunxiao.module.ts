import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { YunxiaoController } from './yunxiao.controller.js';
import { yunxiao } from './yunxiao.dialect.js';

@Module({ imports: [AccountsModule], controllers: [YunxiaoController] })
export class YunxiaoModule {
  constructor(registry: DialectRegistry) {
    registry.registerDialect(yunxiao);
  }
}
