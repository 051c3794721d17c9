import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { TokenService } from '../../tokens/token.service.js';
import { QUAY } from './quay.dialect.js';

const HOUR_MS = 3_600_000;

/**
 * Deletes the sealed copies that nobody can be shown any more: all of them at the start once the setting that keeps them is
 * off; while it is on, those of expired tokens, at the start and every hour.
 */
@Injectable()
export class SealedCopies implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(SealedCopies.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly tokens: TokenService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.config.quayFidelity === 'documented') return this.tokens.forgetSealedValues(QUAY);
    await this.forgetExpired();
    this.timer = setInterval(() => {
      this.forgetExpired().catch((error: unknown) =>
        this.logger.warn(`Sealed copies of expired tokens not deleted yet: ${String(error)}`),
      );
    }, HOUR_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private forgetExpired(): Promise<void> {
    return this.tokens.forgetSealedValues(QUAY, { expiredBy: new Date() });
  }
}
