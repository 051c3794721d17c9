import type { Command } from 'commander';
import { SETTINGS } from '../../config.js';
import { type Cli, examples } from '../command.js';

/** `patois serve` and `patois migrate`: what a server does, with its settings from the environment. */
export function addServer(program: Command, cli: Cli): void {
  const settings = Object.values(SETTINGS).map(
    ({ variable, doc, shownDefault }) => `  ${variable}\n      ${doc} Default: ${shownDefault}.`,
  );
  const serve = program
    .command('serve')
    .description('runs a server until Ctrl-C, on the embedded database or on PostgreSQL');
  examples(serve, 'patois serve', 'PORT=8080 DATA_DIR=/var/lib/patois patois serve')
    .addHelpText('after', `\nSettings come from the environment:\n${settings.join('\n')}`)
    .action(async () => {
      // As main.js of the bundle does, before what has maps is loaded.
      process.setSourceMapsEnabled(true);
      await import('../../main.js');
    });

  const migrate = program
    .command('migrate')
    .description(
      'brings the schema up to date, as a start of the server does; on the database, with its settings',
    )
    .option('--check', 'changes nothing; exit code 1 where something is to be done');
  examples(migrate, 'patois migrate', 'DATABASE_URL=postgres://… TOKEN_KEYS=… patois migrate --check').action(
    async ({ check }: { check?: boolean }) => {
      const { migrate: run } = await import('../store/migrations.js');
      const names = await run(check ?? false);
      for (const name of names) await cli.terminal.write(`${name}\n`);
      const count = names.length === 1 ? '1 migration' : `${names.length} migrations`;
      cli.terminal.say(
        names.length === 0 ? 'The schema is up to date' : `${count} ${check ? 'to run' : 'run'}`,
      );
      if (check && names.length > 0) process.exitCode = 1;
    },
  );
}
