import { Injectable } from '@nestjs/common';
import type { Actor } from '../../audit/audit.writer.js';
import type { JobKind, JobProgress, JobSpec, Portion, PortionTransaction } from '../../jobs/job-kind.js';
import { JobRunner } from '../../jobs/job-runner.js';
import { Refusal } from '../../refusal.js';
import { Admission, type Admitted } from '../authority/admission.js';
import { keptAuthority, type KeptCredential } from '../authority/authority.js';
import type { Powers } from '../authority/powers.js';
import type { TokenFilter } from '../inventory/token-filter.js';
import type { Token } from '../token.entity.js';
import { TokenService } from '../token.service.js';
import { meaning, RevocationTargets } from './revocation-targets.js';

const KIND = 'revocation';
/** Fewer than other replicas are told of by name (500), and locked for less than a fifth of a second. */
const TOKENS_A_PORTION = 250;

/** How far an actor sees: the tokens of an organization, of an owner, or, without either, all. */
export interface Reach {
  organizationId?: string;
  ownerId?: string;
}

/** What is to be done, and on whose word. */
export interface RevocationInput {
  /** To say in the end what meets it by then; null: nothing does. */
  filter: TokenFilter | null;
  reach: Reach;
  reason: string | null;
  by: KeptCredential;
}

interface State {
  /** The last target that is done. */
  after: string | null;
  revoked: number;
  alreadyRevoked: number;
  /** Whether nothing is left but to look back. */
  isOver: boolean;
}

const NOTHING: State = { after: null, revoked: 0, alreadyRevoked: 0, isOver: false };

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
    const { filter, reason, by } = job.input;
    if (state.isOver) return this.lookBack(filter, state, transaction);
    const own = by.tokenUuid;
    const limit = TOKENS_A_PORTION;
    const next = await this.targets.next(transaction, job.id, { after: state.after, limit, except: own });
    const isOver = next.length < limit;
    const ids = await this.targets.remove(
      transaction,
      job.id,
      isOver && own !== null ? [...next, own] : next,
    );
    let admitted: Admitted;
    try {
      admitted = await this.admit(job, ids, transaction);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Nothing is done of this portion, whose targets a task deletes with the others.
      return { done: 0, problem: problemOf(error) };
    }
    const found = [...admitted.tokens.values()];
    const live = found.filter((token) => !token.isRevoked());
    const endable = live.filter((token) => mayEnd(admitted.powers, token));
    const settlements = endable.map((token) => ({ token, changes: 'revoke' as const }));
    await this.tokens.settle(transaction, settlements, { reason, actor: job.createdBy });
    const failed = live.length - endable.length;
    return {
      done: ids.length - failed,
      failed,
      state: {
        after: next.at(-1) ?? state.after,
        revoked: state.revoked + endable.length,
        alreadyRevoked: state.alreadyRevoked + ids.length - live.length,
        isOver,
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

  /** Counts what meets the filter and is not revoked: it was made, or came to meet it, after the job began. */
  private async lookBack(
    filter: TokenFilter | null,
    { revoked, alreadyRevoked }: State,
    transaction: PortionTransaction,
  ): Promise<Portion<State>> {
    const appeared = await this.targets.countLive(transaction, meaning(filter ?? undefined));
    return { done: 0, result: { revoked, alreadyRevoked, appeared } };
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
