import { Injectable } from '@nestjs/common';
import { type StatementRunner, statementOf } from '../../database/statements.js';
import { inTurns } from '../../turnstile.js';
import type { PublicAuditKey } from '../audit-keys.js';
import { type SealStatement, signedTextOf } from './audit-seal.entity.js';
import type { Gap, OldEvents, Pruned } from './audit-sealing.entity.js';
import { eventColumns, eventOf, type EventRow } from './event-rows.js';
import { textOf } from './event-text.js';
import { GenuineEvents } from './genuine-events.js';
import { type Leaf, LEAF_BYTES, unpackLeaves } from './leaves.js';
import { leafHash, merkleRoot } from './merkle-tree.js';
import { isPrunedByServer } from './pruned-part.js';
import { SealKeys } from './seal-keys.js';
import { isSignedBy } from './signatures.js';

/** In a step, as far as whole seals go; the first seal is taken however many it has. */
const MAX_EVENTS = 2_000;
const MAX_SEALS = 500;
/** Of events that no seal is expected to have so many are read in a step; the first that is not genuine ends it. */
const MAX_OTHERS = 1_000;

/** What is wrong with the trail. */
export interface TrailProblem {
  /**
   * `changed`, `missing` or `reordered`: an event that was sealed; `foreign`: one that no server wrote; `unsealed`: one that
   * a server wrote, and that was kept from being sealed; `seal`: a seal that is missing or not what was signed.
   */
  kind: 'changed' | 'missing' | 'reordered' | 'foreign' | 'unsealed' | 'seal';
  /** The uuid of the event; null where it is a seal. */
  event: string | null;
  /** The seal that has the event, or should; null where none does. */
  seal: number | null;
  message: string;
}

/** How far a verification is: what is before it holds. */
export interface VerifierState {
  sequence: number;
  root: string | null;
  through: number;
  /** The last of the events that are older than seals. */
  old: { time: string; id: string } | null;
  seals: number;
  events: number;
  /** Up to which seal the events were pruned when it began. */
  prunedTo: number | null;
}

export interface VerifierStep {
  state: VerifierState;
  /** How many events this step has verified. */
  events: number;
  isOver: boolean;
  problem?: TrailProblem;
}

interface SealRow extends SealStatement {
  signature: string;
  through: number;
  leaves: Buffer | null;
}

interface Position {
  sequence: number;
  root: string | null;
  gaps: Gap[];
  oldEvents: OldEvents | null;
  pruned: Pruned | null;
  total: number;
}

interface Checked {
  seal: SealRow;
  leaves: Leaf[];
  isPruned: boolean;
}

/** Compares the trail with its seals, step by step. */
@Injectable()
export class Verifier {
  constructor(
    private readonly sealKeys: SealKeys,
    private readonly genuine: GenuineEvents,
  ) {}

  /** How many events there are to verify. */
  async count(runner: StatementRunner): Promise<number> {
    const { total, pruned } = await readPosition(runner, '');
    const [before] = await runner.run<{ total: number }>(
      statementOf('seals', `SELECT total_events::float8 AS total FROM audit_seals WHERE sequence = $1`),
      [pruned?.sequence ?? 0],
    );
    return Math.max(0, total - (before?.total ?? 0));
  }

  /** The next step. Nobody seals or prunes until the transaction of the runner is over. */
  async step(runner: StatementRunner, before: VerifierState | null): Promise<VerifierStep> {
    const position = await readPosition(runner, 'FOR SHARE');
    const keys = await this.sealKeys.trusted(runner);
    const { pruned } = position;
    const begun = before ?? START;
    if (pruned && !isPrunedByServer(pruned, keys)) {
      const message = 'The record that events were pruned up to this seal is not signed by this server';
      return { ...stopped(begun), problem: sealProblem(pruned.sequence, message) };
    }
    const prunedTo = pruned?.sequence ?? 0;
    const state = before ?? { ...START, prunedTo: pruned?.sequence ?? null };
    const seals = await readSeals(runner, state.sequence);
    if (seals.length === 0) return this.end(runner, state, position);
    return this.verify(runner, state, position, { seals, keys, prunedTo });
  }

  private async verify(
    runner: StatementRunner,
    state: VerifierState,
    position: Position,
    {
      seals,
      keys,
      prunedTo,
    }: { seals: SealRow[]; keys: ReadonlyMap<string, PublicAuditKey>; prunedTo: number },
  ): Promise<VerifierStep> {
    const checked: Checked[] = [];
    let previous: Pick<VerifierState, 'sequence' | 'root' | 'through'> = state;
    let broken: TrailProblem | undefined;
    for (const seal of seals) {
      const isPruned = seal.sequence <= prunedTo;
      const leaves = unpackLeaves(seal.leaves ?? Buffer.alloc(0));
      broken = problemOf(seal, previous, { keys, leaves, isPruned });
      if (broken) break;
      checked.push({ seal, leaves, isPruned });
      previous = seal;
    }
    const rows = await readEvents(runner, state.through, checked);
    let now = state;
    for (const one of checked) {
      const problem =
        (await this.firstProblem(runner, now, one, { rows, position })) ??
        (await this.foreignOld(runner, now, one));
      if (problem) return { state: now, events: now.events - state.events, isOver: true, problem };
      now = after(now, one, rows);
    }
    const events = now.events - state.events;
    if (broken) return { state: now, events, isOver: true, problem: broken };
    return { state: now, events, isOver: false };
  }

  /** The first event, by ordinal, that is not as a seal has it, or that is where no seal has one. */
  private async firstProblem(
    runner: StatementRunner,
    before: VerifierState,
    { seal, leaves, isPruned }: Checked,
    { rows, position }: { rows: EventIndex; position: Position },
  ): Promise<TrailProblem | undefined> {
    const problems: { ordinal: number; problem: TrailProblem }[] = [];
    if (!isPruned) {
      await inTurns(leaves, (leaf) => {
        if (problems.length > 0) return;
        const problem = leafProblem(leaf, rows, seal.sequence);
        if (problem) problems.push({ ordinal: leaf.ordinal, problem });
      });
    }
    const others = rows.others(before.through, seal.through);
    for (const row of others) {
      const problem = await this.otherProblem(runner, row, { position, sequence: seal.sequence });
      if (!problem) continue;
      problems.push({ ordinal: Number(row.ordinal), problem });
      break;
    }
    return problems.toSorted((one, other) => one.ordinal - other.ordinal)[0]?.problem;
  }

  /** What is wrong with an event that is within what a seal covers, and that the seal does not have. */
  private async otherProblem(
    runner: StatementRunner,
    row: EventRow,
    { position, sequence }: { position: Position; sequence: number },
  ): Promise<TrailProblem | undefined> {
    const ordinal = Number(row.ordinal);
    // Its transaction may have been late.
    const text = `
      SELECT s.sequence FROM audit_seals s
      WHERE s.sequence > $1 AND s.late_from <= $2 AND position(uuid_send($3::uuid) IN s.leaves) > 0 LIMIT 1`;
    const values = [sequence, ordinal, row.id];
    if ((await runner.run(statementOf('seals', text), values)).length > 0) return undefined;
    const isGenuine = this.genuine.isGenuine(
      row,
      row.mac === null && (await this.genuine.areOldAllowed(runner)),
    );
    if (!isGenuine) return foreign(row, sequence);
    if (position.gaps.some(({ low, high }) => low <= ordinal && ordinal <= high)) return undefined;
    return {
      kind: 'unsealed',
      event: row.id,
      seal: sequence,
      message:
        'The event is genuine, and was kept from being sealed, or was put elsewhere in the order of the trail',
    };
  }

  /** An event that stands among those that are older than seals, and that no seal has. */
  private async foreignOld(
    runner: StatementRunner,
    before: VerifierState,
    { seal, leaves, isPruned }: Checked,
  ): Promise<TrailProblem | undefined> {
    if (seal.through > 0 || isPruned) return undefined;
    const text = `
      SELECT ${eventColumns('e')} FROM audit_events e
      WHERE e.ordinal IS NULL AND (e.time, e.id) > ($1::timestamptz, $2::uuid)
        AND (e.time, e.id) <= (SELECT l.time, l.id FROM audit_events l WHERE l.id = $3) AND NOT e.id = ANY ($4::uuid[])
      ORDER BY e.time, e.id LIMIT 1`;
    const { time, id } = before.old ?? FIRST;
    const ids = leaves.map(({ event }) => event);
    const [row] = await runner.run<EventRow>(statementOf('seals', text), [time, id, seal.lastEvent, ids]);
    return row && foreign(row, seal.sequence);
  }

  /** What is wrong with an event that is to be sealed yet. */
  private unsealedProblem(row: EventRow, allowsOld: boolean): TrailProblem | undefined {
    return this.genuine.isGenuine(row, allowsOld) ? undefined : foreign(row, null);
  }

  /** What is left when all seals are verified: that the newest is there, and that what is not sealed yet is genuine. */
  private async end(
    runner: StatementRunner,
    state: VerifierState,
    position: Position,
  ): Promise<VerifierStep> {
    const over = stopped(state);
    if (position.sequence > state.sequence) {
      return {
        ...over,
        problem: sealProblem(state.sequence + 1, 'The seal is missing: the end of the chain is gone'),
      };
    }
    if (position.sequence !== state.sequence || position.root !== state.root) {
      return {
        ...over,
        problem: sealProblem(state.sequence, 'It is not the newest seal that this server has made'),
      };
    }
    const text = `
      (SELECT ${eventColumns('e')} FROM audit_events e WHERE e.ordinal > $1 ORDER BY e.ordinal LIMIT ${MAX_OTHERS})
      UNION ALL
      (SELECT ${eventColumns('e')} FROM audit_events e WHERE e.ordinal <= $2 ORDER BY e.ordinal LIMIT ${MAX_OTHERS})`;
    const lowest = await lowestOrdinal(runner, state.prunedTo);
    const rows = await runner.run<EventRow>(statementOf('seals', text), [state.through, lowest]);
    const allowsOld = rows.some(({ mac }) => mac === null) && (await this.genuine.areOldAllowed(runner));
    for (const row of rows) {
      const problem =
        Number(row.ordinal) > state.through
          ? this.unsealedProblem(row, allowsOld)
          : await this.otherProblem(runner, row, { position, sequence: state.prunedTo ?? 0 });
      if (problem) return { ...over, problem: { ...problem, seal: null } };
    }
    const old = position.oldEvents?.isOver ? await oldAfter(runner, state.old) : undefined;
    return old ? { ...over, problem: foreign(old, null) } : over;
  }
}

const START: VerifierState = {
  sequence: 0,
  root: null,
  through: 0,
  old: null,
  seals: 0,
  events: 0,
  prunedTo: null,
};
const FIRST = { time: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

/** The events of a step: what is within the ordinals that its seals cover, and what they have from elsewhere. */
class EventIndex {
  private readonly byId = new Map<string, EventRow>();
  private readonly byOrdinal = new Map<number, EventRow>();
  /** Those that no seal of the step has. */
  private readonly unexpected: EventRow[];

  constructor(inRange: readonly EventRow[], elsewhere: readonly EventRow[], sealed: ReadonlySet<string>) {
    for (const row of [...inRange, ...elsewhere]) {
      this.byId.set(row.id, row);
      if (row.ordinal !== null) this.byOrdinal.set(Number(row.ordinal), row);
    }
    this.unexpected = inRange.filter(({ id }) => !sealed.has(id));
  }

  of(id: string): EventRow | undefined {
    return this.byId.get(id);
  }

  at(ordinal: number): EventRow | undefined {
    return this.byOrdinal.get(ordinal);
  }

  /** The events with ordinals above `after`, up to `through`, that no seal of the step has. */
  others(after: number, through: number): EventRow[] {
    return this.unexpected.filter(({ ordinal }) => Number(ordinal) > after && Number(ordinal) <= through);
  }
}

function leafProblem(leaf: Leaf, rows: EventIndex, seal: number): TrailProblem | undefined {
  const row = rows.of(leaf.event);
  const of = { event: leaf.event, seal };
  if (!row) {
    return rows.at(leaf.ordinal)
      ? { kind: 'changed', ...of, message: 'The event was sealed with another id than it has' }
      : { kind: 'missing', ...of, message: 'The event was sealed, and is not there any more' };
  }
  if (!leafHash(textOf(eventOf(row))).equals(leaf.hash)) {
    return { kind: 'changed', ...of, message: 'The event is not what was sealed' };
  }
  if (Number(row.ordinal ?? 0) !== leaf.ordinal) {
    return { kind: 'reordered', ...of, message: 'The event was sealed elsewhere in the order of the trail' };
  }
  return undefined;
}

/** What is wrong with a seal itself, or with its place in the chain. */
function problemOf(
  seal: SealRow,
  previous: Pick<VerifierState, 'sequence' | 'root' | 'through'>,
  {
    keys,
    leaves,
    isPruned,
  }: { keys: ReadonlyMap<string, PublicAuditKey>; leaves: readonly Leaf[]; isPruned: boolean },
): TrailProblem | undefined {
  const { sequence } = seal;
  if (sequence !== previous.sequence + 1) return sealProblem(previous.sequence + 1, 'The seal is missing');
  const key = keys.get(seal.key);
  if (!key) return sealProblem(sequence, `No key that this server trusts is called ${seal.key}`);
  if (!isSignedBy(key, signedTextOf(seal), seal.signature)) {
    return sealProblem(sequence, 'The seal is not what was signed');
  }
  if (seal.previousRoot !== previous.root) {
    return sealProblem(sequence, 'The seal does not follow the one before');
  }
  const isInOrder = seal.through > previous.through || (seal.through === 0 && previous.through === 0);
  // A seal of late events alone covers no further ordinal.
  if (!isInOrder && seal.through !== previous.through) {
    return sealProblem(sequence, 'What the seal covers ends before that of the one before');
  }
  if (isPruned) return undefined;
  const isWhole =
    seal.leaves?.length === seal.events * LEAF_BYTES &&
    merkleRoot(leaves.map(({ hash }) => hash)).toString('hex') === seal.root &&
    leaves[0]?.event === seal.firstEvent &&
    leaves.at(-1)?.event === seal.lastEvent;
  return isWhole
    ? undefined
    : sealProblem(sequence, 'The leaves that are kept with the seal are not what was sealed');
}

function sealProblem(seal: number, message: string): TrailProblem {
  return { kind: 'seal', event: null, seal, message };
}

function foreign({ id }: EventRow, seal: number | null): TrailProblem {
  return { kind: 'foreign', event: id, seal, message: 'No server with a key of this ring wrote the event' };
}

function stopped(state: VerifierState): VerifierStep {
  return { state, events: 0, isOver: true };
}

function after(state: VerifierState, { seal, leaves, isPruned }: Checked, rows: EventIndex): VerifierState {
  const last = rows.of(leaves.at(-1)?.event ?? '');
  const isOld = seal.through === 0 && last !== undefined;
  return {
    ...state,
    sequence: seal.sequence,
    root: seal.root,
    through: seal.through,
    old: isOld ? { time: last.time.toISOString(), id: last.id } : state.old,
    seals: state.seals + 1,
    events: state.events + (isPruned ? 0 : leaves.length),
  };
}

async function readPosition(runner: StatementRunner, lock: 'FOR SHARE' | ''): Promise<Position> {
  const text = `
    SELECT sequence, root, gaps, old_events AS "oldEvents", pruned, total_events::float8 AS total
    FROM audit_sealing WHERE id = 1 ${lock}`;
  const [position] = await runner.run<Position>(statementOf('seals', text), []);
  if (!position) throw new Error('How far the audit trail is sealed is not known: audit_sealing has no row');
  return position;
}

function readSeals(runner: StatementRunner, sequence: number): Promise<SealRow[]> {
  const text = `
    SELECT sequence, first_event AS "firstEvent", last_event AS "lastEvent", events, root, previous_root AS "previousRoot",
      sealed_at AS "sealedAt", key, signature, through::float8 AS through, leaves
    FROM (
      SELECT *, coalesce(sum(length(leaves)) OVER (ORDER BY sequence), 0) AS bytes,
        row_number() OVER (ORDER BY sequence) AS place
      FROM (SELECT * FROM audit_seals WHERE sequence > $1 ORDER BY sequence LIMIT ${MAX_SEALS}) next) seal
    WHERE bytes <= ${MAX_EVENTS * LEAF_BYTES} OR place = 1 ORDER BY sequence`;
  return runner.run<SealRow>(statementOf('seals', text), [sequence]);
}

/** The events of some seals, and those that stand between them. */
async function readEvents(
  runner: StatementRunner,
  after: number,
  checked: readonly Checked[],
): Promise<EventIndex> {
  const kept = checked.filter(({ isPruned }) => !isPruned).flatMap(({ leaves }) => leaves);
  const through = checked.at(-1)?.seal.through ?? after;
  const range = `
    SELECT ${eventColumns('e')} FROM audit_events e WHERE e.ordinal > $1 AND e.ordinal <= $2 ORDER BY e.ordinal LIMIT $3`;
  const inRange =
    through > after
      ? await runner.run<EventRow>(statementOf('seals', range), [after, through, kept.length + MAX_OTHERS])
      : [];
  const there = new Set(inRange.map(({ id }) => id));
  const sealed = new Set(kept.map(({ event }) => event));
  const elsewhere = [...sealed].filter((id) => !there.has(id));
  if (elsewhere.length === 0) return new EventIndex(inRange, [], sealed);
  const byId = `SELECT ${eventColumns('e')} FROM audit_events e WHERE e.id = ANY ($1::uuid[])`;
  return new EventIndex(inRange, await runner.run<EventRow>(statementOf('seals', byId), [elsewhere]), sealed);
}

/** What the seals of the pruned part cover: an event there must be one that a later seal has. */
async function lowestOrdinal(runner: StatementRunner, prunedTo: number | null): Promise<number> {
  if (prunedTo === null) return 0;
  const text = `SELECT through::float8 AS through FROM audit_seals WHERE sequence = $1`;
  const [seal] = await runner.run<{ through: number }>(statementOf('seals', text), [prunedTo]);
  return seal?.through ?? 0;
}

/** An event without an ordinal behind all that were older than seals. */
async function oldAfter(runner: StatementRunner, after: VerifierState['old']): Promise<EventRow | undefined> {
  const { time, id } = after ?? FIRST;
  const text = `
    SELECT ${eventColumns('e')} FROM audit_events e
    WHERE e.ordinal IS NULL AND (e.time, e.id) > ($1::timestamptz, $2::uuid) ORDER BY e.time, e.id LIMIT 1`;
  const [row] = await runner.run<EventRow>(statementOf('seals', text), [time, id]);
  return row;
}
