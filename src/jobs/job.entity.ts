import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Actor } from '../audit/audit.writer.js';

export const JOB_STATUSES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;

/** `waiting` for a replica to take it up, also again; the last three are ends. */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** An actor as JSON has it. */
export type KeptActor = Omit<Actor, 'createdAt'> & { createdAt: string | null };

/** Work that is done in many small transactions, by whichever replica has the lease. */
@Entity('jobs')
@Index('jobs_created', ['createdAt', 'id'])
@Index('jobs_organization', ['organizationId', 'createdAt', 'id'])
@Index('jobs_due', { synchronize: false })
export class Job {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'jobs_pkey' })
  id!: string;

  /** Names what does it ({@link JobKind}). */
  @Column('text')
  kind!: string;

  @Column('text')
  status!: JobStatus;

  /** What is to be done, as the kind has it. */
  @Column('jsonb')
  input!: unknown;

  /** Where the next portion goes on, as the kind has it; null before the first. */
  @Column('jsonb', { nullable: true })
  state!: unknown;

  /** How many there are to do; null where nobody has counted them. */
  @Column('integer', { nullable: true })
  total!: number | null;

  @Column('integer')
  done!: number;

  /** Those that could not be done. */
  @Column('integer')
  failed!: number;

  /** What came of it, once it is done. */
  @Column('jsonb', { nullable: true })
  result!: Record<string, unknown> | null;

  /** Why it failed, for people. */
  @Column('text', { nullable: true })
  problem!: string | null;

  /** Whose administrators may see it; null: administrators of everything alone. */
  @Column('uuid', { nullable: true })
  organizationId!: string | null;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  /** On whose word it is done, for the audit events. */
  @Column('jsonb')
  createdBy!: KeptActor;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  startedAt!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  endedAt!: Date | null;

  /** From when on any replica may take it up, by the database's clock: while it runs, the end of its lease. */
  @Column('timestamp with time zone')
  dueAt!: Date;

  /** A lease's own uuid, of one run of the job: another lease has another one, also in the same process. */
  @Column('uuid', { nullable: true })
  leaseOwner!: string | null;

  /** How many leases have tried the next portion, the present one among them. */
  @Column('integer')
  attempts!: number;
}

/** What the audit trail keeps of a job. */
export function auditView({ kind, status, total, done, failed, problem }: Job): Record<string, unknown> {
  return { kind, status, total, done, failed, problem };
}
