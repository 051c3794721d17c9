import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../../administration/jobs/jobs.dto.js';
import { CommandError, EXIT } from '../exit.js';
import { printable } from '../output/printable.js';
import { interruptible } from '../input/interrupt.js';
import { ProgressLine } from '../output/progress.js';
import type { Column } from '../output/table.js';
import { type OnWire, path } from '../server/api.js';
import type { Session } from '../session.js';

type Shown = OnWire<Job>;

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
const ENDS: Shown['status'][] = ['done', 'failed', 'cancelled'];

/**
 * Waits for the end of a job, and shows how far it is.
 *
 * @throws {CommandError} on Ctrl-C, which ends the waiting and not the job.
 */
export async function waitForJob(session: Session, id: string): Promise<Shown> {
  const api = await session.api();
  const progress = new ProgressLine(session.terminal, 'job');
  return interruptible(async (interruption) => {
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS)) {
        const job = await api.get<Job>(path`/patois/v1/jobs/${id}`);
        if (ENDS.includes(job.status)) return job;
        progress.show(job.done + job.failed, job.total);
        await sleep(pauseMs, undefined, { signal: interruption }).catch(() => undefined);
        if (interruption.aborted) {
          throw new CommandError('The job goes on', EXIT.interrupted, [
            `To wait for it again: patois jobs wait ${printable(id)}`,
            `To end it: patois jobs cancel ${printable(id)}`,
          ]);
        }
      }
    } finally {
      progress.end();
    }
  });
}

/** Follows a job that a command has begun to its end, or, with `--no-wait`, shows how it stands. */
export async function followJob(
  session: Session,
  job: Shown,
  parts: readonly Column<Shown>[],
  wait: boolean,
): Promise<Shown> {
  if (!wait) {
    await session.show(job, parts);
    return job;
  }
  const ended = await waitForJob(session, job.id);
  await showEnded(session, ended, parts);
  return ended;
}

/** Shows a job that has ended; one that is not done is a failure. */
export async function showEnded(
  session: Session,
  job: Shown,
  parts: readonly Column<Shown>[],
): Promise<void> {
  await session.show(job, parts);
  if (job.status === 'done') return;
  const reason = job.problem === null ? '' : `: ${job.problem}`;
  throw new CommandError(`The job is ${job.status}${reason}`, EXIT.failed);
}
