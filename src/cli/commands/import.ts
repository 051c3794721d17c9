import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import type { ImportCounts, ImportedToken, ImportSummary } from '../../administration/imports/imports.dto.js';
import { choice, type Cli, examples, listOptions, repeatable } from '../command.js';
import { CommandError, EXIT, usageError } from '../exit.js';
import { type ImportFormat, tokensOf } from '../input/imported-tokens.js';
import { interruptible } from '../input/interrupt.js';
import { textOf } from '../input/text-file.js';
import { parseLimit } from '../input/when.js';
import { printable } from '../output/printable.js';
import { ProgressLine } from '../output/progress.js';
import { type Column, renderTable } from '../output/table.js';
import { shortTime } from '../output/texts.js';
import type { OnWire, Query } from '../server/api.js';
import { readSecretFile } from '../server/credential.js';
import type { ListOptions, Session } from '../session.js';
import { type ImportComplaint, ImportRun } from './import-run.js';

const IMPORTS = '/patois/v1/imports';
const FORMATS: ImportFormat[] = ['ndjson', 'csv'];
const DEFAULT_MAX_ERRORS = 100;

const COLUMNS: Column<OnWire<ImportedToken>>[] = [
  { title: 'token id', text: ({ tokenId }) => tokenId, isWhole: true },
  { title: 'owner', text: ({ owner }) => owner },
  { title: 'source', text: ({ source }) => source },
  { title: 'foreign id', text: ({ foreignId }) => foreignId },
  {
    title: 'status',
    text: ({ status }) => status,
    style: ({ status }) => (status === 'used' ? 'green' : 'yellow'),
  },
  { title: 'imported', text: ({ importedAt }) => shortTime(importedAt) },
  { title: 'first used', text: ({ usedAt }) => shortTime(usedAt) ?? 'never' },
];

const SUMMARY_COLUMNS: Column<OnWire<ImportCounts>>[] = [
  { title: 'source', text: ({ source }) => source },
  { title: 'tokens', text: ({ total }) => total },
  { title: 'waiting', text: ({ waiting }) => waiting },
  { title: 'used', text: ({ used }) => used },
  { title: 'ended unused', text: ({ ended }) => ended },
];

/** What came of an import, or would of a dry run. */
interface Report {
  source: string;
  dryRun: boolean;
  imported: number;
  existing: number;
  failed: number;
  errors: ImportComplaint[];
}

const REPORT_PARTS: Column<Report>[] = [
  { title: 'source', text: ({ source, dryRun }) => (dryRun ? `${source} (dry run)` : source) },
  { title: 'imported', text: ({ imported }) => imported },
  { title: 'there already', text: ({ existing }) => existing },
  { title: 'failed', text: ({ failed }) => failed, style: ({ failed }) => (failed > 0 ? 'red' : undefined) },
];

interface RunOptions {
  source: string;
  format?: ImportFormat;
  hmacKey?: string[];
  dryRun?: boolean;
  maxErrors: number;
}

/** `patois import`: tokens that another system has issued. */
export function addImport(program: Command, cli: Cli): void {
  const imports = program.command('import').description('tokens that another system has issued');
  const tokens = imports
    .command('tokens')
    .description('imports tokens by the hashes of their values; what was imported before stays as it is')
    .argument('<file>', 'ndjson or csv, as docs/import.md has it');
  examples(
    tokens,
    'patois import tokens foreman.ndjson --source foreman --dry-run',
    'patois import tokens foreman.ndjson --source foreman',
    'patois import tokens keys.csv --source billing --hmac-key main=@main.key',
  )
    .requiredOption('--source <name>', 'what you call the system that they come from')
    .addOption(choice('--format <format>', 'default: csv for a file of that name, else ndjson', FORMATS))
    .addOption(repeatable('--hmac-key <name=@file>', 'a file with the key, in base64, of hmac-sha256$name$…'))
    .option('--dry-run', 'check all, and write nothing')
    .option('--max-errors <count>', 'end where so many have failed', parseLimit, DEFAULT_MAX_ERRORS)
    .action(async (file: string, options: RunOptions, command: Command) => {
      await runImport(cli.session(command), file, options);
    });

  const list = imports
    .command('list')
    .description('lists imported tokens, and whether their values were used');
  listOptions(examples(list, 'patois import list --source foreman --status waiting --all'))
    .option('--source <name>', 'the system that they come from')
    .addOption(choice('--status <status>', 'whether the value was used since', ['waiting', 'used']))
    .action(async ({ source, status, ...limits }: ListOptions & Query, command: Command) => {
      await cli.session(command).list<ImportedToken>(IMPORTS, { source, status }, limits, COLUMNS);
    });

  const summary = imports.command('summary').description('counts imported tokens by their source');
  examples(summary, 'patois import summary', "patois import summary --json | jq '.waiting'").action(
    async (_options: object, command: Command) => {
      const session = cli.session(command);
      const counts = await (await session.api()).get<ImportSummary>(`${IMPORTS}/summary`);
      if (session.isJson) return session.show(counts, []);
      const rows = [...counts.bySource, { ...counts, source: 'all' }];
      await cli.terminal.write(renderTable(SUMMARY_COLUMNS, rows, cli.terminal.layout));
    },
  );
}

async function runImport(session: Session, file: string, options: RunOptions): Promise<void> {
  const { source, dryRun = false, maxErrors, format = file.endsWith('.csv') ? 'csv' : 'ndjson' } = options;
  const keys = await readKeys(options.hmacKey ?? []);
  const { size } = await stat(file).catch(({ code }: NodeJS.ErrnoException) => {
    throw usageError(`${file} cannot be read: ${code}`);
  });
  const api = await session.api();
  const progress = new ProgressLine(session.terminal, 'import');
  const errors: ImportComplaint[] = [];
  const onComplaint = (complaint: ImportComplaint): void => {
    errors.push(complaint);
    progress.end();
    if (!session.isJson) session.terminal.say(`line ${complaint.line}: ${printable(complaint.detail)}`);
  };
  await interruptible(async (interruption) => {
    const head = { source, dryRun, ...(keys ? { keys } : {}) };
    const run = new ImportRun(api, { head, interruption, onComplaint, maxErrors });
    const report = (): Report => ({
      source,
      dryRun,
      imported: run.imported,
      existing: run.existing,
      failed: run.failed,
      errors,
    });
    try {
      let read = 0;
      for await (const row of tokensOf(
        textOf(file, (bytes) => (read = bytes)),
        format,
      )) {
        await run.take(row);
        progress.showBytes(read, size);
      }
      await run.flush();
    } catch (error) {
      progress.end();
      // How far it came is worth knowing, too.
      await session.show(report(), REPORT_PARTS);
      throw advised(error, dryRun);
    }
    progress.end();
    await session.show(report(), REPORT_PARTS);
    if (run.failed > 0) {
      throw new CommandError(`${run.failed} tokens ${dryRun ? 'would fail' : 'failed'}`, EXIT.failed);
    }
  });
}

/** Whoever ran it may do so again. */
function advised(error: unknown, isDryRun: boolean): unknown {
  if (!(error instanceof CommandError) || isDryRun) return error;
  // What is wrong with the file, or the caller, is no better the next time.
  if (error.exitCode === EXIT.usage || error.exitCode === EXIT.refused) return error;
  const advice = 'What was imported stays, and is known again: run it once more as it was';
  return new CommandError(error.message, error.exitCode, [...error.details, advice]);
}

/** Keys by their names; undefined: there are none. */
async function readKeys(given: readonly string[]): Promise<Record<string, string> | undefined> {
  if (given.length === 0) return undefined;
  const entries = given.map(async (text): Promise<[string, string]> => {
    const [, name, file] = /^([^=]+)=@(.+)$/.exec(text) ?? [];
    // What was given may be the key itself.
    if (name === undefined || file === undefined) throw usageError('--hmac-key must be name=@file');
    const key = await readSecretFile(file);
    if (key === '' || Buffer.from(key, 'base64').toString('base64') !== key) {
      throw usageError(`${file} holds no key in base64`);
    }
    return [name, key];
  });
  return Object.fromEntries(await Promise.all(entries));
}
