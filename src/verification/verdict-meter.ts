import { Injectable } from '@nestjs/common';
import type { Judgement } from './judgement.js';

/** Counts judgements by outcome and dialect, cheaply; the metrics page reads the sums. */
@Injectable()
export class VerdictMeter {
  /** By `outcome dialect`; the dialect of a value that is no token's is `none`. */
  readonly counts = new Map<string, number>();

  count(judgement: Judgement): void {
    const outcome = judgement.isActive ? 'active' : judgement.reason;
    const key = `${outcome} ${judgement.token?.dialect ?? 'none'}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }
}
