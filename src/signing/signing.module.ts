import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { JwtSigner } from './jwt-signer.js';
import { SigningKeysTask } from './signing-keys.task.js';
import { SigningKeys } from './signing-keys.js';

/** For the endpoints whose answers others verify without asking. */
@Module({
  imports: [JobsModule],
  providers: [JwtSigner, SigningKeys, SigningKeysTask],
  exports: [JwtSigner, SigningKeys],
})
export class SigningModule {}
