import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { Cli } from '../../src/cli/command.js';
import { readCommandEnvironment } from '../../src/cli/environment.js';
import { Terminal } from '../../src/cli/output/terminal.js';
import { buildProgram } from '../../src/cli/program.js';

const environment = readCommandEnvironment({});
const terminal = new Terminal(environment);

function program(): Command {
  return buildProgram(new Cli(terminal, '0.0.0', environment));
}

/** Every command that does something, by its words. */
function leaves(command: Command, path: string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((one) => leaves(one, [...path, one.name()]));
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

function examplesOf(command: Command): string[] {
  return [...helpOf(command).matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => line);
}

/** The words behind `patois` in a line of shell, as far as the lines of the help go. */
function wordsOf(line: string): string[] {
  const [, words = ''] = /(?:^|[ (])patois (.*?)\)?$/.exec(line.replace(/ [|<>] .*$/, '')) ?? [];
  return [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/** Makes every command do nothing but be parsed. */
function withoutActions(command: Command): Command {
  if (command.commands.length === 0) command.action(() => {});
  for (const one of command.commands) withoutActions(one);
  return command;
}

const NAMES = leaves(program()).map(([name]) => name);

describe('the help of each command', () => {
  test.each(NAMES)('patois %s: says what it does, with examples that can be run', async (name) => {
    const [, command] = leaves(program()).find(([one]) => one === name) ?? [];
    if (!command) throw new Error(`There is no ${name}`);
    expect(command.description()).not.toBe('');
    const lines = examplesOf(command);
    expect(lines.some((line) => line.includes(`patois ${name}`))).toBe(true);
    for (const line of lines) await withoutActions(program()).parseAsync(wordsOf(line), { from: 'user' });
  });

  test('every option says what it does, or has a name that does', () => {
    const silent = leaves(program()).flatMap(([name, { options }]) =>
      options
        .filter(({ description, flags }) => !description && !/<(name|address|text)>/.test(flags))
        .map(({ flags }) => `${name} ${flags}`),
    );
    expect(silent).toEqual([]);
  });
});
