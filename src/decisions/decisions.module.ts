import { Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { AuditModule } from '../audit/audit.module.js';
import { CONFIG, type Config } from '../config.js';
import { ChangeFeed } from '../database/changes/change-feed.js';
import { ChangeListener } from '../database/changes/change-listener.js';
import { NoticesModule } from '../notices/notices.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { TRACING, type Tracing } from '../tracing.js';
import { CachedLookup } from './cached-lookup.js';
import { DecisionService } from './decision.service.js';
import { LookupCache } from './lookup-cache.js';
import { NewAddresses } from './new-addresses.js';
import { RefusedTokens } from './refused-tokens.js';
import { RotatedTokens } from './rotated-tokens.js';
import { TracedDecisionService } from './traced-decision.service.js';
import { UsageRecorder } from './usage-recorder.js';

/** What decides on tokens, and what it remembers and notes of them. */
@Module({
  imports: [AuditModule, NoticesModule, TokensModule],
  providers: [
    {
      provide: LookupCache,
      inject: [ChangeListener, ChangeFeed, CONFIG],
      useFactory: ({ replication }: ChangeListener, feed: ChangeFeed, config: Config) => {
        const cache = new LookupCache(config.verificationMaxStalenessSeconds * 1000, replication);
        feed.onChange((keys) => cache.forget(keys));
        return cache;
      },
    },
    CachedLookup,
    {
      provide: DecisionService,
      inject: [ModuleRef, TRACING],
      useFactory: (module: ModuleRef, { isOn }: Tracing) =>
        module.create(isOn ? TracedDecisionService : DecisionService),
    },
    NewAddresses,
    RefusedTokens,
    RotatedTokens,
    UsageRecorder,
  ],
  exports: [CachedLookup, DecisionService, RefusedTokens, RotatedTokens, UsageRecorder],
})
export class DecisionsModule {}
