import { Injectable } from '@nestjs/common';
import type { Judgement } from './judgement.js';

/** Counts judgements by outcome and dialect, cheaply; the metrics page reads the sums. */
@Injectable()
export class VerdictMeter {
  private readonly counts = new Map<string, Map<string, number>>();

  count(judgement: Judgement): void {
    const outcome = judgement.isActive ? 'active' : judgement.reason;
    // The dialect of a value that is no token's.
    const dialect = judgement.token?.dialect ?? 'none';
    let outcomes = this.counts.get(dialect);
    if (!outcomes) this.counts.set(dialect, (outcomes = new Map()));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /** All sums so far. */
  sums(): { outcome: string; dialect: string; count: number }[] {
    return [...this.counts].flatMap(([dialect, outcomes]) =>
      [...outcomes].map(([outcome, count]) => ({ outcome, dialect, count })),
    );
  }
}
