import { Injectable } from '@nestjs/common';
import type { Actor } from '../../audit/audit.writer.js';
import type { JobKind, JobProgress, JobSpec, Portion, PortionTransaction } from '../../jobs/job-kind.js';
import { JobRunner } from '../../jobs/job-runner.js';
import { PortionSize } from '../../jobs/portion-size.js';
import { Refusal } from '../../refusal.js';
import { Admission, type Admitted } from '../authority/admission.js';
import { keptAuthority, type KeptCredential } from '../authority/authority.js';
import type { Powers } from '../authority/powers.js';
import type { TokenFilter } from '../inventory/token-filter.js';
import type { Token } from '../token.entity.js';
import { TokenService } from '../token.service.js';
import { meaning, meaningFamily, RevocationTargets } from './revocation-targets.js';

const KIND = 'revocation';
/**
 * To read and write more at a time would keep the event loop, and with it verification, for longer, and the tokens locked;
 * of as many other replicas are told by name (500 at most).
 */
const MOST_A_PORTION = 40;
const LEAST_A_PORTION = 25;

/** How far an actor sees: the tokens of an organization, of an owner, or, without either, all. */
export interface Reach {
  organizationId?: string;
  ownerId?: string;
}

/** What is to be done, and on whose word. */
export interface RevocationInput {
  /** To say in the end what meets it by then; null: nothing can. */
  filter: TokenFilter | null;
  /** Instead of a filter: the uuid of the token that is ended with what descends from it. */
  root?: string;
  reach: Reach;
  reason: string | null;
  by: KeptCredential;
}

interface Counts {
  revoked: number;
  alreadyRevoked: number;
}

interface State extends Counts {
  /** The last target that is done. */
  after: string | null;
  /** Whether nothing is left but to look back, and the token that began it. */
  isOver: boolean;
  /** How often more had descended from the root when it was looked back. */
  rounds: number;
}

const NOTHING: State = { after: null, revoked: 0, alreadyRevoked: 0, isOver: false, rounds: 0 };
/** A token can issue until it is ended; what it has issued by then is found at the next look. */
const MAX_ROUNDS = 10;

/** The job that ends the tokens which are staged as its targets ({@link RevocationTargets}). */
export function revocation(
  input: RevocationInput,
  createdBy: Actor,
  options: Pick<JobSpec, 'organizationId' | 'total'>,
): JobSpec {
  return { kind: KIND, input, createdBy, ...options };
}

/** Whether an actor administers what it did when it began. */
export function reaches(powers: Powers, { organizationId, ownerId }: Reach): boolean {
  if (ownerId !== undefined) return true;
  return organizationId === undefined ? powers.isAdministrator : powers.administers(organizationId);
}

/**
 * Ends the targets of a job, in the order of their uuids, the token that began it last. In each portion the actor is asked
 * again: one that may not any more ends the job.
 */
@Injectable()
export class RevocationJob implements JobKind<RevocationInput, State> {
  readonly kind = KIND;
  /** Of the job under way: there is one of a kind at a time. */
  private size = new PortionSize(LEAST_A_PORTION, MOST_A_PORTION);

  constructor(
    private readonly targets: RevocationTargets,
    private readonly admission: Admission,
    private readonly tokens: TokenService,
    runner: JobRunner,
  ) {
    runner.register(this);
  }

  async portion(
    job: JobProgress<RevocationInput, State>,
    transaction: PortionTransaction,
  ): Promise<Portion<State>> {
    const state = job.state ?? NOTHING;
    if (state.isOver) return this.finish(job, state, transaction);
    const own = job.input.by.tokenUuid;
    if (state.after === null) this.size = new PortionSize(LEAST_A_PORTION, MOST_A_PORTION);
    const limit = this.size.current;
    const beganAt = performance.now();
    const next = await this.targets.next(transaction, job.id, { after: state.after, limit, except: own });
    const ended = await this.end(
      job,
      await this.targets.remove(transaction, job.id, next),
      state,
      transaction,
    );
    if ('problem' in ended) return ended;
    this.size.note(next.length, performance.now() - beganAt);
    const isOver = next.length < limit;
    return { ...ended, state: { ...state, ...ended.counts, after: next.at(-1) ?? state.after, isOver } };
  }

  /** Looks back, and ends the token that began the job, where that is one of the targets. */
  private async finish(
    job: JobProgress<RevocationInput, State>,
    state: State,
    transaction: PortionTransaction,
  ): Promise<Portion<State>> {
    const { filter, root, by } = job.input;
    const meant = root === undefined ? meaning(filter) : meaningFamily({ id: root });
    if (root !== undefined && state.rounds < MAX_ROUNDS) {
      const count = await this.targets.stage(transaction, job.id, meant);
      const total = (job.total ?? 0) + count;
      const rounds = state.rounds + 1;
      if (count > 0) return { done: 0, total, state: { ...state, after: null, isOver: false, rounds } };
    }
    const own = by.tokenUuid === null ? [] : await this.targets.remove(transaction, job.id, [by.tokenUuid]);
    const appeared = await this.targets.countLive(transaction, meant, own[0] ?? null);
    const ended = await this.end(job, own, state, transaction);
    return 'problem' in ended ? ended : { ...ended, result: { ...ended.counts, appeared } };
  }

  /** Ends those of some targets that the actor may still end. */
  private async end(
    job: JobProgress<RevocationInput, State>,
    ids: readonly string[],
    { revoked, alreadyRevoked }: Counts,
    transaction: PortionTransaction,
  ): Promise<{ done: number; failed: number; counts: Counts } | { done: 0; problem: string }> {
    if (ids.length === 0) return { done: 0, failed: 0, counts: { revoked, alreadyRevoked } };
    let admitted: Admitted;
    try {
      admitted = await this.admit(job, ids, transaction);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Nothing was changed.
      return { done: 0, problem: problemOf(error) };
    }
    const live = [...admitted.tokens.values()].filter((token) => !token.isRevoked());
    const endable = live.filter((token) => mayEnd(admitted.powers, token));
    const settlements = endable.map((token) => ({ token, changes: 'revoke' as const }));
    await this.tokens.settle(transaction, settlements, { reason: job.input.reason, actor: job.createdBy });
    const failed = live.length - endable.length;
    return {
      done: ids.length - failed,
      failed,
      counts: {
        revoked: revoked + endable.length,
        alreadyRevoked: alreadyRevoked + ids.length - live.length,
      },
    };
  }

  /** Locks the targets, and asks whether the actor may still end them. */
  private async admit(
    { input: { by, reach }, createdBy }: JobProgress<RevocationInput, State>,
    ids: readonly string[],
    transaction: PortionTransaction,
  ): Promise<Admitted> {
    const admitted = await this.admission.admit(transaction, keptAuthority(createdBy, by), {
      tokens: { ids },
    });
    if (reaches(admitted.powers, reach)) return admitted;
    throw new Refusal('forbidden', { reason: 'role', message: 'the role is less than it was' });
  }
}

function mayEnd(powers: Powers, token: Token): boolean {
  try {
    powers.assertMayEnd(token);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const WHY: Partial<Record<string, string>> = {
  ownerDisabled: 'the user is disabled or gone',
  revoked: 'the token is revoked',
  expired: 'the token has expired',
  inactive: 'the token is inactive',
  address: 'the token is confined to other addresses now',
  scope: 'the token lost scopes',
};

function problemOf({ reason, message }: Refusal): string {
  return `Who began it may not go on: ${WHY[reason ?? ''] ?? message}`;
}
