import { Injectable } from '@nestjs/common';
import type { User } from '../accounts/user.entity.js';
import type { Actor } from '../audit/audit.writer.js';
import type { JobKind, JobProgress, JobSpec, Portion, PortionTransaction } from '../jobs/job-kind.js';
import { JobRunner } from '../jobs/job-runner.js';
import { TokenReads } from './token-reads.js';
import { TokenService } from './token.service.js';

const KIND = 'owner-deletion';

interface Input {
  userId: string;
}

/** The job that marks the tokens of a deleted user as revoked. None of them works: the deletion alone ends them. */
export function ownerDeletion({ id, organizationId }: User, createdBy: Actor): JobSpec {
  const input: Input = { userId: id };
  return { kind: KIND, input, createdBy, organizationId };
}

/** Marks the tokens of deleted users as revoked. A token that is done is not found again: no state is kept. */
@Injectable()
export class OwnerDeletionJob implements JobKind<Input, null> {
  readonly kind = KIND;

  constructor(
    private readonly tokens: TokenService,
    private readonly reads: TokenReads,
    runner: JobRunner,
  ) {
    runner.register(this);
  }

  async portion(job: JobProgress<Input, null>, transaction: PortionTransaction): Promise<Portion<null>> {
    const { userId } = job.input;
    const total = job.total ?? (await this.reads.countLive(transaction, userId));
    const { count, isMore } = await this.tokens.revokeSomeOf(userId, job.createdBy, transaction);
    if (isMore) return { done: count, total, state: null };
    return { done: count, total, result: { revoked: job.done + count } };
  }
}
