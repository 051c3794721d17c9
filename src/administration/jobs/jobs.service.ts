import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import { isUuid } from '../../database/uuid.js';
import type { Job } from '../../jobs/job.entity.js';
import { Jobs, noSuchJob } from '../../jobs/jobs.js';
import { Admission } from '../../tokens/authority/admission.js';
import { TokenService } from '../../tokens/token.service.js';
import type { ListJobsQuery } from './jobs.dto.js';

/**
 * Jobs as administrators see and end them: of everything all, of an organization those of their own. Who has begun a job,
 * by whichever credential, sees and ends it as well.
 */
@Injectable()
export class JobAdministrationService {
  constructor(
    private readonly jobs: Jobs,
    private readonly admission: Admission,
    private readonly tokens: TokenService,
  ) {}

  /** @throws {Refusal} forbidden for a member. */
  async list(caller: Principal, { cursor, limit, kind, status }: ListJobsQuery): Promise<Page<Job>> {
    caller.assertAdministers();
    const query = this.jobs.query();
    if (!caller.isAdministrator) query.andWhere({ organizationId: caller.user.organizationId });
    if (kind !== undefined) query.andWhere({ kind });
    if (status !== undefined) query.andWhere({ status });
    return readPage(query, newestFirst('job.createdAt'), cursor, limit);
  }

  /** @throws {Refusal} forbidden for a member who has not begun it; notFound, also for a job that the caller may not see. */
  async get(caller: Principal, id: string): Promise<Job> {
    const job = isUuid(id) ? await this.jobs.query().where({ id }).getOne() : null;
    if (job && (await this.isBegunBy(caller, job))) return job;
    caller.assertAdministers();
    if (!job || !administers(caller, job)) throw noSuchJob();
    return job;
  }

  /**
   * Ends a job; one that is cancelled already is given back unchanged.
   *
   * @throws {Refusal} as {@link get}; conflict for one that has ended otherwise; unauthenticated when the caller is not
   *   what it was.
   */
  async cancel(caller: Principal, id: string): Promise<Job> {
    const isOwn = await this.isBegunBy(caller, await this.get(caller, id));
    return this.jobs.cancel(id, caller.actor, {
      line: caller.user.id,
      gate: async (transaction, job) => {
        const { powers } = await this.admission.admit(transaction, caller);
        if (!job || !(isOwn || administers(powers, job))) throw noSuchJob();
      },
    });
  }

  /** Whether the caller, or a token of the caller's, has begun a job. */
  private async isBegunBy({ user }: Principal, { createdBy: { type, id } }: Job): Promise<boolean> {
    if (id === null || type === 'system') return false;
    if (type === 'user') return id === user.id;
    return (await this.tokens.find({ id, ownerId: user.id })) !== undefined;
  }
}

/** Whether a caller, as it came or as it is at the write, administers what a job is about. */
function administers(
  caller: { isAdministrator: boolean; administers(organizationId: string): boolean },
  { organizationId }: Job,
): boolean {
  return organizationId === null ? caller.isAdministrator : caller.administers(organizationId);
}
