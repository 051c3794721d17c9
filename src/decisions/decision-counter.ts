import type { Decision, DenyReason } from './decision.js';

/** Counts decisions by outcome and dialect, cheaply; the metrics page reads the sums. */
export class DecisionCounter {
  private readonly counts = new Map<string, Partial<Record<DenyReason | 'active', number>>>();

  count(decision: Decision): void {
    const outcome = decision.isActive ? 'active' : decision.reason;
    // For a value that is no token.
    const dialect = decision.cached?.token.dialect ?? 'none';
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
