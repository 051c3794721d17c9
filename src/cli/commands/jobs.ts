import type { Command } from 'commander';
import type { Job } from '../../administration/jobs/jobs.dto.js';
import type { JobStatus } from '../../jobs/job.entity.js';
import { choice, choicesOf, type Cli, examples, listOptions } from '../command.js';
import type { Column } from '../output/table.js';
import { shortTime } from '../output/texts.js';
import { type OnWire, path, type Query } from '../server/api.js';
import type { ListOptions } from '../session.js';
import { showEnded, waitForJob } from './job-wait.js';

type Shown = OnWire<Job>;

const STATUSES = choicesOf<JobStatus>({
  waiting: true,
  running: true,
  done: true,
  failed: true,
  cancelled: true,
});
const STYLES = {
  waiting: 'yellow',
  running: 'yellow',
  done: 'green',
  failed: 'red',
  cancelled: 'red',
} as const;
const STATUS: Column<Shown> = {
  title: 'status',
  text: ({ status }) => status,
  style: ({ status }) => STYLES[status],
};

const COLUMNS: Column<Shown>[] = [
  { title: 'id', text: ({ id }) => id, isWhole: true },
  { title: 'kind', text: ({ kind }) => kind },
  STATUS,
  { title: 'done', text: ({ done }) => done },
  { title: 'of', text: ({ total }) => total },
  { title: 'failed', text: ({ failed }) => failed },
  { title: 'created', text: ({ createdAt }) => shortTime(createdAt) },
];

/** Every part of a job. */
export const JOB_PARTS: Column<Shown>[] = [
  { title: 'id', text: ({ id }) => id },
  { title: 'kind', text: ({ kind }) => kind },
  STATUS,
  { title: 'done', text: ({ done }) => done },
  { title: 'of', text: ({ total }) => total },
  { title: 'failed', text: ({ failed }) => failed },
  {
    title: 'created',
    text: ({ createdAt, createdBy }) => `${createdAt} by ${createdBy.type} ${createdBy.id ?? ''}`.trim(),
  },
  { title: 'started', text: ({ startedAt }) => startedAt },
  { title: 'ended', text: ({ endedAt }) => endedAt },
  { title: 'result', text: ({ result }) => result && JSON.stringify(result) },
  { title: 'problem', text: ({ problem }) => problem },
];

/** `patois jobs`: long work. */
export function addJobs(program: Command, cli: Cli): void {
  const jobs = program.command('jobs').description('long work: how far it is, what came of it, its end');
  const list = jobs.command('list').description('lists jobs, newest first');
  listOptions(examples(list, 'patois jobs list', 'patois jobs list --status running'))
    .option('--kind <kind>', 'what they do')
    .addOption(choice('--status <status>', 'how far they are', STATUSES))
    .action(async ({ kind, status, ...limits }: ListOptions & Query, command: Command) => {
      await cli.session(command).list<Job>('/patois/v1/jobs', { kind, status }, limits, COLUMNS);
    });

  const show = jobs.command('show').description('shows a job').argument('<id>');
  examples(show, 'patois jobs show 0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10').action(
    async (id: string, _options: object, command: Command) => {
      const session = cli.session(command);
      await session.show(await (await session.api()).get<Job>(path`/patois/v1/jobs/${id}`), JOB_PARTS);
    },
  );

  const wait = jobs
    .command('wait')
    .description('waits for the end of a job; Ctrl-C leaves it running')
    .argument('<id>');
  examples(wait, 'patois jobs wait 0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10').action(
    async (id: string, _options: object, command: Command) => {
      const session = cli.session(command);
      await showEnded(session, await waitForJob(session, id), JOB_PARTS);
    },
  );

  const cancel = jobs.command('cancel').description('cancels a job; what was done stays').argument('<id>');
  examples(cancel, 'patois jobs cancel 0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10').action(
    async (id: string, _options: object, command: Command) => {
      const session = cli.session(command);
      const cancelled = await (await session.api()).send<Job>('POST', path`/patois/v1/jobs/${id}/cancel`);
      await session.show(cancelled.body, JOB_PARTS);
    },
  );
}
