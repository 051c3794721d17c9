import { Injectable } from '@nestjs/common';
import type { Judgement, Objection } from './judgement.js';

/** Counts judgements by outcome and dialect, cheaply; the metrics page reads the sums. */
@Injectable()
export class VerdictMeter {
  private readonly counts = new Map<string, Partial<Record<Objection | 'active', number>>>();

  count(judgement: Judgement): void {
    const outcome = judgement.isActive ? 'active' : judgement.reason;
    // The dialect of a value that is no token's.
    const dialect = judgement.token?.dialect ?? 'none';
    let outcomes = this.counts.get(dialect);
    if (!outcomes) this.counts.set(dialect, (outcomes = {}));
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }

  /** All sums so far. */
  sums(): { outcome: string; dialect: string; count: number }[] {
    return [...this.counts].flatMap(([dialect, outcomes]) =>
      Object.entries(outcomes).map(([outcome, count]) => ({ outcome, dialect, count })),
    );
  }
}
