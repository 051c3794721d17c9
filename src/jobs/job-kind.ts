import type { Actor } from '../audit/audit.writer.js';
import type { Transaction } from '../database/transactions.js';
import type { Job, KeptActor } from './job.entity.js';

/** What a kind reads of its job: as it was when the last portion had committed. */
export interface JobProgress<Input, State> extends Pick<
  Job,
  'id' | 'organizationId' | 'total' | 'done' | 'failed'
> {
  input: Input;
  /** As the portion before left it; null for the first. */
  state: State | null;
  createdBy: Actor;
}

/** What a portion has done, and how it goes on: with the next one, or not. */
export type Portion<State> = {
  /** Done by this portion. */
  done: number;
  /** Could not be done, and will not be tried again. */
  failed?: number;
  /** How many there are in all, where it is known now. */
  total?: number;
} & (
  | {
      state: State;
      /** For how long the job is to wait for its next portion, by whichever replica; not at all by default. */ restMs?: number;
    }
  | { result: Record<string, unknown> }
  /** Why the job has failed, for people: nothing will make it go on. What the portion wrote is committed. */
  | { problem: string }
);

/** The transaction of a portion, which is committed for it together with its counts. */
export type PortionTransaction = Pick<Transaction, 'run' | 'changed'>;

/**
 * What does the jobs of one kind. It lives in the room that it belongs to, as `<name>.job.ts`, and registers itself with the
 * {@link JobRunner}.
 */
export interface JobKind<Input = unknown, State = unknown> {
  /** Few words with hyphens: it is stored, and a label of metrics. */
  readonly kind: string;
  /**
   * Does the next part of a job: a thousand rows or fewer, within a second or so. What it writes commits together with
   * what it returns, or neither does; so it writes to the database alone, and by its transaction alone. It locks what it
   * needs in the order of all changes, users by id, then tokens by id; the job itself is locked already.
   *
   * @throws whatever goes wrong: the portion is tried again, by whichever replica, and the job fails after some attempts
   *   of one portion. What cannot be done for one row is counted as failed instead.
   */
  portion(job: JobProgress<Input, State>, transaction: PortionTransaction): Promise<Portion<State>>;
}

/** A new job. */
export interface JobSpec {
  /** A new uuid, by default; for what is written before the job is. */
  id?: string;
  kind: string;
  input: unknown;
  createdBy: Actor;
  /** Whose administrators may see it; null: administrators of everything alone. */
  organizationId: string | null;
  total?: number;
}

/** What the portions of a job are given of it. */
export function progressOf(job: Job): JobProgress<unknown, unknown> {
  const { id, organizationId, total, done, failed, input, state } = job;
  return { id, organizationId, total, done, failed, input, state, createdBy: actorOf(job.createdBy) };
}

function actorOf({ createdAt, ...kept }: KeptActor): Actor {
  return { ...kept, createdAt: createdAt === null ? null : new Date(createdAt) };
}
