import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { TokensModule } from '../tokens.module.js';
import { Inventory } from './inventory.js';
import { TokenOwners } from './token-owners.js';
import { TokenPortions } from './token-portions.js';
import { TokenWalk } from './token-walk.js';

/** Lists, counts and walks of tokens of every dialect. */
@Module({
  imports: [AccountsModule, TokensModule],
  providers: [Inventory, TokenOwners, TokenPortions, TokenWalk],
  exports: [Inventory, TokenOwners, TokenPortions, TokenWalk],
})
export class TokenInventoryModule {}
