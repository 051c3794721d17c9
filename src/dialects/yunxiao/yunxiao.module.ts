import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { TokenInventoryModule } from '../../tokens/inventory/token-inventory.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { YunxiaoController } from './yunxiao.controller.js';
import { YunxiaoDialect } from './yunxiao.dialect.js';

@Module({
  imports: [AccountsModule, TokenInventoryModule, TokensModule],
  controllers: [YunxiaoController],
  providers: [YunxiaoDialect],
})
export class YunxiaoModule {
  constructor(registry: DialectRegistry, dialect: YunxiaoDialect) {
    registry.registerDialect(dialect);
  }
}
