import { Module } from '@nestjs/common';
import { TokensModule } from '../tokens.module.js';
import { ImportRows } from './import-rows.js';
import { TokenImports } from './token-imports.js';

/** Tokens that come from other systems; how their values are found is part of every look-up. */
@Module({
  imports: [TokensModule],
  providers: [ImportRows, TokenImports],
  exports: [TokenImports],
})
export class TokenImportsModule {}
