import { Injectable } from '@nestjs/common';
import { type Statement, Statements } from '../../database/statements.js';

const OLDEST: Statement = {
  kind: 'seals',
  name: 'oldest-unsealed',
  text: `
    SELECT e.time FROM audit_sealing s CROSS JOIN LATERAL (
      SELECT time FROM audit_events WHERE ordinal > s.through ORDER BY ordinal LIMIT 1) e`,
};

/** How far sealing is behind. Whoever asks has the answer to the question before, and waits for nothing. */
@Injectable()
export class SealLag {
  private oldest: Date | undefined;
  private isAsking = false;

  constructor(private readonly statements: Statements) {}

  /** The age of the oldest event that is not sealed; 0 where all are. */
  get seconds(): number {
    if (!this.isAsking) void this.ask();
    return this.oldest ? Math.max(0, (Date.now() - this.oldest.getTime()) / 1000) : 0;
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    try {
      const [row] = await this.statements.run<{ time: Date }>(OLDEST, []);
      this.oldest = row?.time;
    } catch {
      // What was known before grows older, and says so.
    } finally {
      this.isAsking = false;
    }
  }
}
