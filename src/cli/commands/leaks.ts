import type { Command } from 'commander';
import type { LeaksReceived, ReportLeaks } from '../../administration/leaks/leaks.dto.js';
import { type Cli, examples, given } from '../command.js';
import { usageError } from '../exit.js';
import { interruptible } from '../input/interrupt.js';
import { linesOf, textOf } from '../input/text-file.js';
import { printableJson } from '../output/printable.js';
import type { Terminal } from '../output/terminal.js';
import { patiently } from '../server/patience.js';
import type { Session } from '../session.js';

/** What one call takes. */
const MAX_VALUES = 100;
const LONGEST_VALUE = 512;

interface ReportOptions {
  file?: string;
  source?: string;
}

/** `patois leaks`: values that were found where they should not be. */
export function addLeaks(program: Command, cli: Cli): void {
  const leaks = program.command('leaks').description('tokens that were found where they should not be');
  const report = leaks
    .command('report')
    .description('reports what was found, a value a line, so that it is ended; needs no credential');
  examples(
    report,
    'patois leaks report --source https://paste.example/4711 < found',
    'patois leaks report --file found --source "the build log"',
  )
    .option('--file <file>', 'where the values are; default: standard input')
    .option('--source <text>', 'where they were found, for people')
    .action(async (options: ReportOptions, command: Command) => {
      await reportAll(cli.session(command), options);
    });
}

async function reportAll(session: Session, { file, source }: ReportOptions): Promise<void> {
  const api = session.publicApi();
  let reported = 0;
  await interruptible(async (interruption) => {
    const send = async (values: string[]): Promise<void> => {
      const body: ReportLeaks = { values, ...given({ source }) };
      // A second report of a value does nothing that the first has not done.
      await patiently(interruption, () => api.send<LeaksReceived>('POST', '/patois/v1/leaks', { body }));
      reported += values.length;
    };
    let values: string[] = [];
    const pieces = file === undefined ? inputOf(session.terminal) : textOf(file, () => {});
    for await (const { line, text } of linesOf(pieces, LONGEST_VALUE)) {
      const value = text.trim();
      if (value.length > LONGEST_VALUE)
        throw usageError(`Line ${line} is longer than ${LONGEST_VALUE} characters`);
      values.push(value);
      if (values.length < MAX_VALUES) continue;
      await send(values);
      values = [];
    }
    if (values.length > 0) await send(values);
  });
  if (reported === 0) throw usageError('There are no values to report');
  if (session.isJson) return session.terminal.write(`${printableJson({ reported })}\n`);
  session.done(`${reported === 1 ? 'One value is' : `${reported} values are`} reported`);
}

async function* inputOf({ input }: Terminal): AsyncGenerator<string> {
  input.setEncoding('utf8');
  for await (const text of input as AsyncIterable<string>) yield text;
}
