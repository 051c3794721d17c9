#!/usr/bin/env node
import { CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { PACKAGE_FILE } from '../package-root.js';
import { withoutSecrets } from '../secrets.js';
import { Cli } from './command.js';
import { readCommandEnvironment } from './environment.js';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { printable } from './output/printable.js';
import { Terminal } from './output/terminal.js';
import { buildProgram } from './program.js';

const environment = readCommandEnvironment();
const terminal = new Terminal(environment);

function version(): string {
  return (JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string }).version;
}

/** Says in plain words what went wrong; what was sent or typed in does not belong there. */
function explain(error: unknown): ExitCode {
  // What commander has to say, it has said.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { message } = error instanceof Error ? error : new Error(String(error));
  const details = error instanceof CommandError ? error.details : [];
  terminal.say(`patois: ${printable(withoutSecrets(message))}`);
  for (const detail of details) terminal.say(`  ${printable(withoutSecrets(detail))}`);
  return error instanceof CommandError ? error.exitCode : EXIT.failed;
}

try {
  await buildProgram(new Cli(terminal, version(), environment)).parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
