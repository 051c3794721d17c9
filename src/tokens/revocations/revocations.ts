import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditWriter } from '../../audit/audit.writer.js';
import { type Transaction, Transactions } from '../../database/transactions.js';
import type { Job } from '../../jobs/job.entity.js';
import { Jobs } from '../../jobs/jobs.js';
import { Refusal } from '../../refusal.js';
import { Semaphore } from '../../semaphore.js';
import { Admission } from '../authority/admission.js';
import { type Authority, keptCredential } from '../authority/authority.js';
import type { TokenFilter } from '../inventory/token-filter.js';
import type { Powers } from '../authority/powers.js';
import type { TokenCriteria } from '../token-criteria.js';
import { TokenService } from '../token.service.js';
import { type Reach, reaches, revocation, type RevocationInput } from './revocation.job.js';
import { meaning, meaningFamily, RevocationTargets } from './revocation-targets.js';

/** Each reads all tokens at worst: one at a time, and few that wait. */
const MAX_WAITING = 20;
const MAX_WAIT_MS = 10_000;

/** Which tokens are to be ended, and on whose word. */
export interface RevocationSpec {
  /** Within the reach; undefined: it can mean none. */
  filter: TokenFilter | undefined;
  /** As far as the actor could see when the filter was made. */
  reach: Reach;
  /** The filter as it was written, for the audit trail. */
  written: Record<string, unknown>;
}

export interface StartOptions {
  /** Kept with each token. */
  reason: string;
  /** How many tokens the actor means to end. */
  expectedCount?: number | undefined;
  /** Of the token that the actor calls with. */
  scopes: readonly string[];
  /** Whose administrators see the job; null: administrators of everything alone. */
  organizationId: string | null;
}

/**
 * Ends many tokens at once. Meant are those that a filter names and that are not revoked: expired and inactive ones too, as
 * they could be brought back. Which these are is settled when it begins, in one statement; a job then ends them, and no
 * other.
 */
@Injectable()
export class Revocations {
  private readonly turns = new Semaphore(1, MAX_WAITING, tooMany, MAX_WAIT_MS);

  constructor(
    private readonly transactions: Transactions,
    private readonly admission: Admission,
    private readonly audit: AuditWriter,
    private readonly jobs: Jobs,
    private readonly targets: RevocationTargets,
    private readonly tokens: TokenService,
  ) {}

  /**
   * Settles which tokens are meant, and begins the job that ends them.
   *
   * @throws {Refusal} conflict where they are not as many as expected; unauthenticated and forbidden when the actor is not
   *   what it was; unavailable where many ask at once.
   */
  start(
    { filter: named, reach, written }: RevocationSpec,
    by: Authority,
    options: StartOptions,
  ): Promise<Job> {
    const { expectedCount, organizationId } = options;
    const filter = named ?? null;
    return this.inTurn(by, async (transaction) => {
      const id = randomUUID();
      const total = await this.targets.stage(transaction, id, meaning(filter));
      if (expectedCount !== undefined && expectedCount !== total) {
        const message = `The filter means ${total} tokens now, not ${expectedCount}: nothing was revoked`;
        const fields = [{ path: ['expectedCount'], rule: 'count', message: `${total} tokens are meant` }];
        throw new Refusal('conflict', { message, fields });
      }
      // After what may take long: who acts is locked no longer than it takes to begin the job.
      const { powers } = await this.admission.admit(transaction, by);
      assertReaches(powers, reach);
      const begun = { id, total, organizationId, meant: { filter, reach }, written };
      return this.begin(transaction, begun, by, options);
    });
  }

  /**
   * Ends a token, and begins the job that ends all that descends from it: also what is issued until it is done. A caller's
   * own token is ended by the job, last.
   *
   * @param where names the token.
   * @throws {Refusal} notFound; forbidden where one of them may not be ended; as {@link start}.
   */
  startFamily(
    where: TokenCriteria,
    reach: Reach,
    by: Authority,
    options: Pick<StartOptions, 'scopes'> & { reason: string | null },
  ): Promise<Job> {
    return this.inTurn(by, async (transaction) => {
      const id = randomUUID();
      const staged = await this.targets.stage(transaction, id, meaningFamily(where));
      if ((await this.targets.countBeyond(transaction, id, reach)) > 0) {
        const message = 'Only administrators end the tokens of others, and some of these are';
        throw new Refusal('forbidden', { reason: 'role', message });
      }
      const { powers, tokens } = await this.admission.admit(transaction, by, { tokens: where });
      const [root] = tokens.values();
      if (!root) throw new Refusal('notFound', { message: 'No such token' });
      assertReaches(powers, reach);
      powers.assertMayEnd(root);
      const isOwn = by.credential.kind === 'token' && by.credential.tokenUuid === root.id;
      const isEndedNow = !isOwn && !root.isRevoked();
      if (isEndedNow) {
        await this.tokens.settle(transaction, [{ token: root, changes: 'revoke' }], {
          reason: options.reason,
          actor: by.actor,
        });
        await this.targets.remove(transaction, id, [root.id]);
      }
      const total = staged - Number(isEndedNow);
      const meant = { filter: null, root: root.id, reach };
      const written = { descendantsOf: root.tokenId };
      const begun = { id, total, organizationId: root.organizationId, meant, written };
      return this.begin(transaction, begun, by, options);
    });
  }

  private async inTurn(by: Authority, work: (transaction: Transaction) => Promise<Job>): Promise<Job> {
    const { actor, credential } = by;
    const line = credential.kind === 'none' ? actor.type : credential.userId;
    const job = await this.turns.run(line, () => this.transactions.run(line, work));
    this.jobs.runSoon();
    return job;
  }

  private async begin(
    transaction: Transaction,
    { id, total, organizationId, meant, written }: Begun,
    { actor, credential }: Authority,
    { reason, scopes }: { reason: string | null; scopes: readonly string[] },
  ): Promise<Job> {
    const input = { ...meant, reason, by: keptCredential(credential, scopes) };
    await this.audit.write(transaction, {
      actor,
      action: 'revocation.start',
      object: { type: 'job', id },
      after: { filter: written, reason, total },
    });
    return this.jobs.start(transaction, { ...revocation(input, actor, { organizationId, total }), id });
  }
}

/** A job whose targets are staged. */
interface Begun extends Pick<RevocationSpec, 'written'> {
  id: string;
  total: number;
  organizationId: string | null;
  meant: Pick<RevocationInput, 'filter' | 'root' | 'reach'>;
}

/** @throws {Refusal} forbidden. */
function assertReaches(powers: Powers, reach: Reach): void {
  if (reaches(powers, reach)) return;
  throw new Refusal('forbidden', { reason: 'role', message: 'You administer less than a moment ago' });
}

function tooMany(): Refusal {
  const message = 'Too many revocations begin at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}
