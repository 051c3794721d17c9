import type { Command } from 'commander';
import { choice } from '../command.js';
import { CommandError, EXIT, usageError } from '../exit.js';
import { interruptible } from '../input/interrupt.js';
import { NewFile } from '../output/new-file.js';
import { printable, printableJson } from '../output/printable.js';
import { ProgressLine } from '../output/progress.js';
import type { Query } from '../server/api.js';
import { type ExportFormat, WholeExport } from '../server/whole-export.js';
import type { Session } from '../session.js';

const FORMATS: ExportFormat[] = ['ndjson', 'csv'];

export interface ExportOptions {
  format?: ExportFormat;
  output?: string;
}

export function exportOptions(command: Command): Command {
  return command
    .addOption(choice('--format <format>', 'default: csv for a file of that name, else ndjson', FORMATS))
    .option('-o, --output <file>', 'the file, which is there once it is whole; default: standard output');
}

/**
 * Writes an export to a file or standard output.
 *
 * @throws {CommandError} where it is not whole: a file is as it was before.
 */
export async function exportAll(
  session: Session,
  path: string,
  filter: Query,
  { output, format = output?.endsWith('.csv') ? 'csv' : 'ndjson' }: ExportOptions,
): Promise<void> {
  const { terminal } = session;
  if (output === undefined && terminal.isShown) {
    throw usageError('An export is not for a terminal: name a file with --output, or redirect it');
  }
  const api = await session.api();
  const whole = new WholeExport(format);
  const progress = new ProgressLine(terminal, 'rows:');
  const file = output === undefined ? undefined : await NewFile.at(output);
  const { rows, asOf } = await interruptible(async (interruption) => {
    try {
      for await (const bytes of api.stream(path, { ...filter, format }, interruption)) {
        whole.take(bytes);
        await (file ?? terminal).write(bytes);
        progress.show(whole.rows, null);
      }
      const end = whole.end();
      await file?.keep();
      return end;
    } catch (error) {
      await file?.discard();
      if (interruption.aborted) throw new CommandError('The export was broken off', EXIT.interrupted);
      throw error;
    } finally {
      progress.end();
    }
  });
  if (output === undefined) return;
  if (session.isJson) return terminal.write(`${printableJson({ file: output, rows, asOf }, 2)}\n`);
  session.done(`${printable(output)} holds ${rows} rows, as of ${asOf}`);
}
