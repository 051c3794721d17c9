import { Argument, type Command } from 'commander';
import { type Cli, examples } from '../command.js';
import { bashScript } from '../completion/bash.js';
import { commandTree } from '../completion/command-tree.js';
import { fishScript } from '../completion/fish.js';
import { zshScript } from '../completion/zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

/** `patois completion`: of the tree as it is. */
export function addCompletion(program: Command, cli: Cli): void {
  const completion = program
    .command('completion')
    .description('writes what makes a shell complete this command line')
    .addArgument(new Argument('<shell>').choices(SHELLS));
  examples(
    completion,
    'source <(patois completion bash)',
    'patois completion zsh > "${fpath[1]}/_patois"',
    'patois completion fish > ~/.config/fish/completions/patois.fish',
  ).action(async (shell: keyof typeof SCRIPTS) => {
    await cli.terminal.write(SCRIPTS[shell](commandTree(program)));
  });
}
