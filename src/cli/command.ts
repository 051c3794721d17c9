import { type Command, Option } from 'commander';
import type { CommandEnvironment } from './environment.js';
import { parseLimit } from './input/when.js';
import type { Terminal } from './output/terminal.js';
import { Session } from './session.js';

const DEFAULT_LIMIT = 50;

/** What the commands are built on. */
export class Cli {
  constructor(
    readonly terminal: Terminal,
    readonly version: string,
    private readonly environment: CommandEnvironment,
  ) {}

  /** One run of a command. */
  session(command: Command): Session {
    return new Session(this.terminal, this.environment, this.version, command);
  }
}

/** Ends a command's help with lines that work. */
export function examples(command: Command, ...lines: string[]): Command {
  const shown = lines.map((line) => `  $ ${line}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${shown}`);
}

/** How much of a list is wanted. */
export function listOptions(command: Command): Command {
  return command
    .option('--limit <count>', 'how many at most', parseLimit, DEFAULT_LIMIT)
    .addOption(new Option('--all', 'all there are, as they come').conflicts('limit'));
}

/** An option that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];
  return new Option(flags, `${description}; may be repeated`).argParser(collect);
}

export function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

/** All of a union's texts: the compiler finds one that is missing, and nothing of the server is loaded for them. */
export function choicesOf<Choice extends string>(all: Record<Choice, true>): Choice[] {
  return Object.keys(all) as Choice[];
}

export function yesOption(command: Command): Command {
  return command.option('--yes', 'do not ask first');
}

/** What was given, or undefined where nothing was. */
export function given<Body extends object>(body: Body): Partial<Body> | undefined {
  const entries = Object.entries(body).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? (Object.fromEntries(entries) as Partial<Body>) : undefined;
}
