import { Module } from '@nestjs/common';
import { AuditWriter } from './audit.writer.js';
import { GenuineEvents } from './chain/genuine-events.js';
import { Pruner } from './chain/pruner.js';
import { SealKeys } from './chain/seal-keys.js';
import { SealLag } from './chain/seal-lag.js';
import { Sealer } from './chain/sealer.js';
import { Verifier } from './chain/verifier.js';

@Module({
  providers: [AuditWriter, GenuineEvents, Pruner, SealKeys, SealLag, Sealer, Verifier],
  exports: [AuditWriter, Pruner, SealKeys, SealLag, Sealer, Verifier],
})
export class AuditModule {}
