import type { Command } from 'commander';
import type { Job } from '../../administration/jobs/jobs.dto.js';
import type { TrailProblem } from '../../audit/chain/verifier.js';
import { type Cli, examples } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { Column } from '../output/table.js';
import type { OnWire } from '../server/api.js';
import { showEnded, waitForJob } from './job-wait.js';
import { JOB_PARTS } from './jobs.js';

/** The result of the job, as docs/audit.md has it. */
interface Verified {
  seals: number;
  events: number;
  verifiedTo: number | null;
  root: string | null;
  prunedTo: number | null;
  problem?: OnWire<TrailProblem>;
}

/** What is wrong comes first. */
const PARTS: Column<Verified>[] = [
  {
    title: 'the trail',
    text: ({ problem }) => (problem ? 'is not whole' : 'is whole'),
    style: ({ problem }) => (problem ? 'red' : 'green'),
  },
  { title: 'problem', text: ({ problem }) => problem?.kind, style: () => 'red' },
  { title: 'event', text: ({ problem }) => problem?.event },
  { title: 'seal', text: ({ problem }) => problem?.seal },
  { title: 'what', text: ({ problem }) => problem?.message },
  { title: 'seals that hold', text: ({ seals }) => seals },
  { title: 'events that hold', text: ({ events }) => events },
  { title: 'up to seal', text: ({ verifiedTo }) => verifiedTo },
  { title: 'its root', text: ({ root }) => root },
  { title: 'pruned up to seal', text: ({ prunedTo }) => prunedTo ?? 'none' },
];
const PROBLEM = new Set(['problem', 'event', 'seal', 'what']);

/** `patois audit verify`. */
export function addAuditVerification(audit: Command, cli: Cli): void {
  const verify = audit
    .command('verify')
    .description('verifies that nothing in the audit trail was changed, deleted, inserted or reordered')
    .option('--no-wait', 'do not wait for the job that does it');
  examples(verify, 'patois audit verify', "patois audit verify --json | jq '.result'").action(
    async ({ wait }: { wait: boolean }, command: Command) => {
      const session = cli.session(command);
      const api = await session.api();
      const begun = (await api.send<Job>('POST', '/patois/v1/audit-seals/verification')).body;
      if (!wait) return session.show(begun, JOB_PARTS);
      const job = await waitForJob(session, begun.id);
      // One that has failed says nothing of the trail.
      if (job.status !== 'done') return showEnded(session, job, JOB_PARTS);
      const result = job.result as unknown as Verified;
      const parts = result.problem ? PARTS : PARTS.filter(({ title }) => !PROBLEM.has(title));
      await (session.isJson ? session.show(job, JOB_PARTS) : session.show(result, parts));
      if (!result.problem) return;
      throw new CommandError(`The audit trail is not whole: ${result.problem.message}`, EXIT.failed);
    },
  );
}
