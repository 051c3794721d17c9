import { IsIn } from 'class-validator';
import { IsText, Optional } from '../../http/validation/fields.js';
import { type Job as JobRow, JOB_STATUSES, type JobStatus } from '../../jobs/job.entity.js';
import { ListQuery } from '../../native/list.dto.js';

const MAX_KIND = 100;

/** The query of the list of jobs; all that is given must hold. */
export class ListJobsQuery extends ListQuery {
  /**
   * What the jobs do.
   * @example 'owner-deletion'
   */
  @Optional()
  @IsText(MAX_KIND)
  kind?: string;

  /** How far the jobs are. */
  @Optional()
  @IsIn(JOB_STATUSES)
  status?: JobStatus;
}

/** On whose word a job is done. */
export class JobCreator {
  /** @example 'user' */
  type: 'user' | 'token' | 'system';

  /**
   * A user's uuid or a token id; null for the server itself.
   * @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b'
   */
  id: string | null;

  constructor({ type, auditId }: JobRow['createdBy']) {
    this.type = type;
    this.id = auditId;
  }
}

/** Work that is done in many small transactions, by whichever replica. */
export class Job {
  /** @example '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10' */
  id: string;

  /**
   * What it does.
   * @example 'owner-deletion'
   */
  kind: string;

  /**
   * `waiting` for a server to take it up, also again after a failure; `done`, `failed` and `cancelled` are ends.
   * @example 'failed'
   */
  status: JobStatus;

  createdAt: Date;

  createdBy: JobCreator;

  /** When it was taken up for the first time. */
  startedAt: Date | null;

  endedAt: Date | null;

  /**
   * How many there are to do; null while nobody has counted them.
   * @example 25000
   */
  total: number | null;

  /**
   * How many are done.
   * @example 4000
   */
  done: number;

  /**
   * How many could not be done.
   * @example 0
   */
  failed: number;

  /** What came of it, once it is done; which keys it has depends on the kind. */
  result: Record<string, unknown> | null;

  /**
   * Why it failed.
   * @example 'The server failed; its log says why'
   */
  problem: string | null;

  constructor(row: JobRow) {
    this.id = row.id;
    this.kind = row.kind;
    this.status = row.status;
    this.createdAt = row.createdAt;
    this.createdBy = new JobCreator(row.createdBy);
    this.startedAt = row.startedAt;
    this.endedAt = row.endedAt;
    this.total = row.total;
    this.done = row.done;
    this.failed = row.failed;
    this.result = row.result;
    this.problem = row.problem;
  }
}

/** One page of jobs, newest first. */
export class JobPage {
  items: Job[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(rows: JobRow[], nextCursor: string | undefined) {
    this.items = rows.map((row) => new Job(row));
    this.nextCursor = nextCursor ?? null;
  }
}
