import { Inject, Injectable } from '@nestjs/common';
import { type StatementRunner, statementOf } from '../../database/statements.js';
import { Transactions } from '../../database/transactions.js';
import { AUDIT_KEYS, type AuditKeys } from '../audit-keys.js';
import { AuditWriter, SYSTEM } from '../audit.writer.js';
import type { Pruned } from './audit-sealing.entity.js';
import { LEAF_BYTES, unpackLeaves } from './leaves.js';
import { prunedText } from './pruned-part.js';

/** At a time, as far as whole seals go; the first seal is taken however many it has. */
const MAX_EVENTS = 2_000;
const MAX_SEALS = 500;
const LINE = 'seals';

interface Prunable {
  sequence: number;
  root: string;
  leaves: Buffer | null;
}

/** Deletes old events, seal by seal. The seals stay, without their leaves: what comes after them is still chained to them. */
@Injectable()
export class Pruner {
  /** How many events this process has deleted. */
  pruned = 0;

  constructor(
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    @Inject(AUDIT_KEYS) private readonly keys: AuditKeys,
  ) {}

  /** Deletes some of the events that were older than a moment when they were sealed; whether there may be more. */
  async prune(before: Date): Promise<boolean> {
    const count = await this.transactions.run(LINE, async (transaction) => {
      const [position] = await transaction.run<{ pruned: Pruned | null }>(LOCK, []);
      const seals = await prunableAfter(transaction, position?.pruned?.sequence ?? 0, before);
      const last = seals.at(-1);
      if (!last) return 0;
      const ids = seals
        .flatMap(({ leaves }) => unpackLeaves(leaves ?? Buffer.alloc(0)))
        .map(({ event }) => event);
      const { sequence, root } = last;
      const statement = { sequence, root, prunedAt: new Date().toISOString(), key: this.keys.keyId };
      const pruned: Pruned = { ...statement, signature: this.keys.sign(prunedText(statement)) };
      await transaction.run(DELETE, [ids, seals[0]?.sequence, sequence, JSON.stringify(pruned)]);
      await this.audit.write(transaction.last, {
        actor: SYSTEM,
        action: 'audit.prune',
        object: { type: 'audit-seal', id: String(sequence) },
        after: { events: ids.length, olderThan: before.toISOString() },
      });
      return ids.length;
    });
    this.pruned += count;
    return count > 0;
  }
}

const LOCK = statementOf('seals', `SELECT pruned FROM audit_sealing WHERE id = 1 FOR UPDATE`);
const DELETE = statementOf(
  'seals',
  `WITH gone AS (DELETE FROM audit_events WHERE id = ANY ($1::uuid[])),
    emptied AS (UPDATE audit_seals SET leaves = NULL WHERE sequence BETWEEN $2 AND $3)
  UPDATE audit_sealing SET pruned = $4 WHERE id = 1`,
);

/** The next seals whose events are all older than that: each with those before it, for the rest of the trail stays whole. */
function prunableAfter(runner: StatementRunner, sequence: number, before: Date): Promise<Prunable[]> {
  const text = `
    SELECT sequence, root, leaves FROM (
      SELECT sequence, root, leaves, newest_event_at, sum(length(leaves)) OVER (ORDER BY sequence) AS bytes,
        row_number() OVER (ORDER BY sequence) AS place, bool_and(newest_event_at < $2) OVER (ORDER BY sequence) AS is_old
      FROM (SELECT * FROM audit_seals WHERE sequence > $1 ORDER BY sequence LIMIT ${MAX_SEALS}) next) seal
    WHERE is_old AND (bytes <= ${MAX_EVENTS * LEAF_BYTES} OR place = 1) ORDER BY sequence`;
  return runner.run<Prunable>(statementOf('seals', text), [sequence, before]);
}
