import { Inject, Injectable, Logger } from '@nestjs/common';
import { type StatementRunner, statementOf, Values } from '../../database/statements.js';
import { type Transaction, Transactions } from '../../database/transactions.js';
import { inTurns } from '../../turnstile.js';
import { AUDIT_KEYS, type AuditKeys } from '../audit-keys.js';
import { type SealStatement, signedTextOf } from './audit-seal.entity.js';
import type { Gap, OldEvents } from './audit-sealing.entity.js';
import { eventColumns, eventOf, type EventRow } from './event-rows.js';
import { textOf } from './event-text.js';
import { newGaps, remaining } from './gaps.js';
import { GenuineEvents } from './genuine-events.js';
import { type Leaf, packLeaves } from './leaves.js';
import { leafHash, merkleRoot } from './merkle-tree.js';
import { SealKeys } from './seal-keys.js';

/**
 * In the order of their ordinals, and of those whose transactions were late as many. A seal has twice as many at most: to
 * read more at a time would keep the event loop, and with it verification.
 */
const MAX_EVENTS = 200;
/** While more gaps are open than this, nothing is sealed but what turns up in them: they close within a minute or so. */
const MAX_GAPS = 20_000;
const LINE = 'seals';
const LOG_INTERVAL_MS = 3_600_000;

interface Position {
  sequence: number;
  root: string | null;
  totalEvents: number;
  through: number;
  gaps: Gap[];
  oldEvents: OldEvents | null;
}

interface Found extends EventRow {
  is_late: boolean;
}

interface Hashed {
  /** That of its leaf. */
  hash: Buffer;
}

/**
 * Seals the audit trail. Writers know nothing of it: each event has an ordinal of a sequence, and a seal takes what is
 * committed and has none yet, in the order of the ordinals. An event whose transaction is not over when a later ordinal is
 * sealed leaves a gap, which is looked into each time until no transaction of that time is under way any more.
 */
@Injectable()
export class Sealer {
  /** What this process has done. */
  readonly counts = { seals: 0, events: 0, foreign: 0, lost: 0 };
  private readonly logger = new Logger('AuditSeals');
  private newest: { sequence: number; root: string | null } | undefined;
  private isPublished = false;
  private loggedAt = -Infinity;

  constructor(
    private readonly transactions: Transactions,
    private readonly genuine: GenuineEvents,
    private readonly sealKeys: SealKeys,
    @Inject(AUDIT_KEYS) private readonly keys: AuditKeys,
  ) {}

  /** Seals some of what is committed; whether there may be more. */
  async seal(): Promise<boolean> {
    const { seal, isMore } = await this.transactions.run(LINE, async (transaction) => {
      const position = await lockPosition(transaction);
      this.assertGrown(position);
      if (!this.isPublished) await this.sealKeys.publish(transaction);
      const isOver = position.oldEvents?.isOver ?? false;
      return isOver ? this.sealNew(transaction, position) : this.sealOld(transaction, position);
    });
    this.isPublished = true;
    if (seal) this.note(seal);
    return isMore;
  }

  /** Seals events that are older than seals: by their time, for they have no ordinals, and before all that have. */
  private async sealOld(transaction: Transaction, position: Position): Promise<Sealed> {
    const { after = null } = position.oldEvents ?? {};
    const text = `
      SELECT ${eventColumns('e')} FROM audit_events e
      WHERE e.ordinal IS NULL AND (e.time, e.id) > ($1::timestamptz, $2::uuid) ORDER BY e.time, e.id LIMIT ${MAX_EVENTS}`;
    const from = [after?.time ?? '-infinity', after?.id ?? '00000000-0000-0000-0000-000000000000'];
    const rows = await transaction.run<EventRow>(statementOf('seals', text), from);
    const last = rows.at(-1);
    if (!last) {
      return this.sealNew(transaction, { ...position, oldEvents: { after, isOver: true } }, position);
    }
    const oldEvents = { after: { time: last.time.toISOString(), id: last.id }, isOver: false };
    const hashed = await inTurns(rows, (row) => ({ ...row, hash: leafHash(textOf(eventOf(row))) }));
    const seal = await this.write(transaction, { ...position, oldEvents }, hashed, {
      through: 0,
      lateFrom: null,
    });
    return { seal, isMore: true };
  }

  private async sealNew(transaction: Transaction, position: Position, before = position): Promise<Sealed> {
    const { found, xmin, xmax } = await lookAtNew(transaction, position);
    const genuine = await this.genuineAmong(transaction, found);
    const late = found.filter((row) => row.is_late).map(ordinalOf);
    const fresh = found.filter((row) => !row.is_late).map(ordinalOf);
    const isFull = late.length === MAX_EVENTS || fresh.length === MAX_EVENTS;
    const foreign = found.length - genuine.length;
    if (foreign > 0) this.counts.foreign = foreign;
    // What is not genuine does not move the trail on, or one ordinal made up would leave all others behind: only where
    // there is nothing else for long.
    const through =
      genuine.map(ordinalOf).findLast((ordinal) => ordinal > position.through) ??
      (fresh.length === MAX_EVENTS ? (fresh.at(-1) ?? 0) : position.through);
    const snapshot = { xmin, xmax, now: Date.now() };
    const gaps = [
      ...remaining(position.gaps, { ...snapshot, found: late }),
      ...newGaps(position.through, through, { ...snapshot, found: fresh }),
    ];
    const next = { ...position, through, gaps };
    if (genuine.length === 0) {
      const isNew = next.oldEvents !== before.oldEvents || isOther(next, before);
      if (isNew) await this.advance(transaction, next);
      return { seal: undefined, isMore: isFull };
    }
    const lateFrom = genuine.map(ordinalOf).find((ordinal) => ordinal <= position.through) ?? null;
    const seal = await this.write(transaction, next, genuine, { through, lateFrom });
    return { seal, isMore: isFull };
  }

  private async genuineAmong(runner: StatementRunner, rows: readonly Found[]): Promise<(Found & Hashed)[]> {
    const hasOld = rows.some(({ mac }) => mac === null);
    const allowsOld = hasOld && (await this.genuine.areOldAllowed(runner));
    // Of its text, which is dear to make, code and hash are looked at together.
    const genuine = await inTurns(rows, (row) => {
      const text = textOf(eventOf(row));
      return this.genuine.isGenuine(row, allowsOld, text) ? [{ ...row, hash: leafHash(text) }] : [];
    });
    return genuine.flat();
  }

  /** Writes a seal over some events, and how far sealing is then. */
  private async write(
    transaction: Transaction,
    position: Position,
    rows: readonly (EventRow & Hashed)[],
    { through, lateFrom }: { through: number; lateFrom: number | null },
  ): Promise<SealStatement> {
    const leaves = rows.map(({ id, ordinal, hash }): Leaf => ({
      event: id,
      ordinal: Number(ordinal ?? 0),
      hash,
    }));
    const sealedAt = new Date();
    const statement: SealStatement = {
      sequence: position.sequence + 1,
      firstEvent: rows[0]?.id ?? '',
      lastEvent: rows.at(-1)?.id ?? '',
      events: rows.length,
      root: merkleRoot(leaves.map(({ hash }) => hash)).toString('hex'),
      previousRoot: position.root,
      sealedAt,
      key: this.keys.keyId,
    };
    const newest = Math.max(...rows.map(({ time }) => time.getTime()));
    const totalEvents = position.totalEvents + rows.length;
    const { place, list } = new Values();
    const columns = {
      sequence: statement.sequence,
      first_event: statement.firstEvent,
      last_event: statement.lastEvent,
      events: statement.events,
      total_events: totalEvents,
      root: statement.root,
      previous_root: statement.previousRoot,
      sealed_at: sealedAt,
      key: statement.key,
      signature: this.keys.sign(signedTextOf(statement)),
      through,
      late_from: lateFrom,
      newest_event_at: new Date(Math.min(newest, sealedAt.getTime())),
      leaves: packLeaves(leaves),
    };
    const insertion = `INSERT INTO audit_seals (${Object.keys(columns).join(', ')})
      VALUES (${Object.values(columns).map(place).join(', ')})`;
    const { sequence, root } = statement;
    const update = advancing({ ...position, sequence, root, totalEvents }, place);
    await transaction.last.run(statementOf('seals', `WITH sealed AS (${insertion}) ${update}`), list);
    return statement;
  }

  private async advance(transaction: Transaction, position: Position): Promise<void> {
    const { place, list } = new Values();
    await transaction.last.run(statementOf('seals', advancing(position, place)), list);
  }

  /** Says so where the trail is shorter than this process has known it: seals were taken away behind its back. */
  private assertGrown({ sequence, root }: Position): void {
    const { newest } = this;
    this.newest = { sequence, root };
    if (!newest || sequence > newest.sequence || (sequence === newest.sequence && root === newest.root))
      return;
    this.counts.lost += 1;
    this.logger.error(
      `The audit trail was changed: its newest seal was ${newest.sequence} with the root ${newest.root}, and now is ` +
        `${sequence} with the root ${root}`,
    );
  }

  private note({ sequence, root, events }: SealStatement): void {
    this.newest = { sequence, root };
    this.counts.seals += 1;
    this.counts.events += events;
    if (performance.now() - this.loggedAt < LOG_INTERVAL_MS) return;
    this.loggedAt = performance.now();
    this.logger.log(`The audit trail is sealed up to seal ${sequence} with the root ${root}`);
  }
}

interface Sealed {
  seal: SealStatement | undefined;
  isMore: boolean;
}

function ordinalOf({ ordinal }: EventRow): number {
  return Number(ordinal);
}

/** Locks how far sealing is: until the transaction ends nobody else seals or prunes. */
async function lockPosition(runner: StatementRunner): Promise<Position> {
  const text = `
    SELECT sequence, root, total_events::float8 AS "totalEvents", through::float8 AS through, gaps,
      old_events AS "oldEvents"
    FROM audit_sealing WHERE id = 1 FOR UPDATE`;
  const [position] = await runner.run<Position>({ kind: 'seals', name: 'lock-sealing', text }, []);
  if (!position) throw new Error('How far the audit trail is sealed is not known: audit_sealing has no row');
  return position;
}

/** What is committed and not sealed, by ordinal, as one snapshot shows it. */
async function lookAtNew(
  runner: StatementRunner,
  { through, gaps }: Position,
): Promise<{ found: Found[]; xmin: bigint; xmax: bigint }> {
  const text = `
    WITH late AS (
      SELECT e.*, true AS is_late FROM unnest($2::bigint[], $3::bigint[]) AS gap(low, high)
      JOIN audit_events e ON e.ordinal BETWEEN gap.low AND gap.high LIMIT ${MAX_EVENTS}),
    fresh AS (
      SELECT e.*, false AS is_late FROM audit_events e WHERE e.ordinal > $1 ORDER BY e.ordinal LIMIT $4)
    SELECT ${eventColumns('e')}, e.is_late, pg_snapshot_xmin(pg_current_snapshot())::text AS snapshot_xmin,
      pg_snapshot_xmax(pg_current_snapshot())::text AS snapshot_xmax
    FROM (SELECT 1) AS always LEFT JOIN (SELECT * FROM late UNION ALL SELECT * FROM fresh) e ON true
    ORDER BY e.ordinal`;
  const limit = gaps.length > MAX_GAPS ? 0 : MAX_EVENTS;
  const rows = await runner.run<Found & { snapshot_xmin: string; snapshot_xmax: string }>(
    { kind: 'seals', name: 'unsealed', text },
    [through, gaps.map(({ low }) => low), gaps.map(({ high }) => high), limit],
  );
  const [xmin, xmax] = [BigInt(rows[0]?.snapshot_xmin ?? 0), BigInt(rows[0]?.snapshot_xmax ?? 0)];
  return { found: rows.filter(({ ordinal }) => ordinal !== null), xmin, xmax };
}

function isOther(one: Position, other: Position): boolean {
  return one.through !== other.through || JSON.stringify(one.gaps) !== JSON.stringify(other.gaps);
}

function advancing(
  { sequence, root, totalEvents, through, gaps, oldEvents }: Position,
  place: (value: unknown) => string,
): string {
  return `
    UPDATE audit_sealing SET sequence = ${place(sequence)}, root = ${place(root)}, total_events = ${place(totalEvents)},
      through = ${place(through)}, gaps = ${place(JSON.stringify(gaps))}, old_events = ${place(JSON.stringify(oldEvents))}
    WHERE id = 1`;
}
