import type { Command } from 'commander';
import type { Job } from '../../administration/jobs/jobs.dto.js';
import type { RevocationPreview } from '../../administration/revocations/revocations.dto.js';
import { type Cli, examples, given, yesOption } from '../command.js';
import { CommandError, EXIT, usageError } from '../exit.js';
import { confirm } from '../input/ask.js';
import { parseWholeNumber } from '../input/when.js';
import { type Column, renderTable } from '../output/table.js';
import type { OnWire, Query } from '../server/api.js';
import type { Session } from '../session.js';
import { followJob } from './job-wait.js';
import { JOB_PARTS } from './jobs.js';
import { tokenFilterOf, tokenFilterOptions } from './token-filter.js';
import { TOKEN_COLUMNS } from './tokens.js';

type Preview = OnWire<RevocationPreview>;

const REVOCATIONS = '/patois/v1/revocations';
/** So many are shown to who is asked; what `--dry-run` shows are all that the server names. */
const SHOWN = 10;

const PREVIEW_PARTS: Column<Preview>[] = [{ title: 'tokens', text: ({ count }) => count }];

interface RevocationOptions {
  reason?: string;
  dryRun?: boolean;
  expectedCount?: number;
  everything?: boolean;
  wait: boolean;
  yes?: boolean;
}

/** `patois revocations`: the end of many tokens. */
export function addRevocations(program: Command, cli: Cli): void {
  const revocations = program.command('revocations').description('the end of many tokens at once');
  const create = revocations
    .command('create')
    .description('revokes all tokens that a filter means, for good');
  examples(
    create,
    'patois revocations create --owner ada --dry-run',
    'patois revocations create --owner ada --reason "Ada has left"',
    'patois revocations create --never-used --created-before 90d --reason unused --expected-count 12 --yes',
    'patois revocations create --everything --reason "the database was stolen"',
  );
  yesOption(
    tokenFilterOptions(
      create
        .option('--reason <text>', 'kept with each token and in the audit trail')
        .option('--dry-run', 'only count them, and show some')
        .option('--expected-count <count>', 'do nothing where it is another number', parseWholeNumber)
        .option('--everything', 'all tokens that you may revoke')
        .option('--no-wait', 'do not wait for the job'),
    ),
  ).action(async (options: RevocationOptions & Query, command: Command) => {
    await revoke(cli.session(command), options, tokenFilterOf(options));
  });
}

async function revoke(session: Session, options: RevocationOptions, filter: Query): Promise<void> {
  const { reason, dryRun, expectedCount, everything, wait, yes } = options;
  const isEmpty = given(filter) === undefined;
  if (isEmpty && !everything) throw usageError('Which tokens? See patois revocations create --help');
  if (!isEmpty && everything) throw usageError('Either --everything or a filter');
  if (!dryRun && reason === undefined)
    throw usageError('Why? Say --reason, which is kept in the audit trail');
  const api = await session.api();
  const meant = { filter, ...given({ reason, everything }) };
  const preview = async (): Promise<Preview> =>
    (await api.send<RevocationPreview>('POST', REVOCATIONS, { body: { ...meant, dryRun: true } })).body;
  if (dryRun) return showPreview(session, await preview());
  // Who knows the number already need not be able to read tokens.
  const count =
    yes && expectedCount !== undefined ? expectedCount : await agreedCount(session, options, preview);
  const { body: job } = await api.send<Job>('POST', REVOCATIONS, {
    body: { ...meant, expectedCount: count },
  });
  const { failed } = await followJob(session, job, JOB_PARTS, wait);
  if (failed > 0) throw new CommandError(`${failed} of them could not be revoked`, EXIT.failed);
}

/** How many are meant, once whoever sits there has agreed to that. */
async function agreedCount(
  { terminal }: Session,
  { expectedCount, yes }: RevocationOptions,
  preview: () => Promise<Preview>,
): Promise<number> {
  const { count, sample } = await preview();
  if (expectedCount !== undefined && count !== expectedCount) {
    throw new CommandError(`${count} tokens are meant, not ${expectedCount}; nothing was done`, EXIT.refused);
  }
  if (count > 0 && !yes && terminal.isInteractive) {
    const { width } = terminal.layout;
    const table = renderTable(TOKEN_COLUMNS, sample.slice(0, SHOWN), { width, hasColours: false });
    terminal.say(table.trimEnd());
    if (count > SHOWN) terminal.say(`and ${count - SHOWN} more`);
  }
  if (count > 0)
    await confirm(terminal, `Revoke ${count === 1 ? 'this token' : `${count} tokens`} for good?`, yes);
  return count;
}

async function showPreview(session: Session, preview: Preview): Promise<void> {
  await session.show(preview, PREVIEW_PARTS);
  if (session.isJson || preview.sample.length === 0) return;
  const { terminal } = session;
  await terminal.write(`\n${renderTable(TOKEN_COLUMNS, preview.sample, terminal.layout)}`);
}
