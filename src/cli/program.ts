import { Command } from 'commander';
import { type Cli, examples } from './command.js';
import { addAudit } from './commands/audit.js';
import { addCompletion } from './commands/completion.js';
import { addJobs } from './commands/jobs.js';
import { addImport } from './commands/import.js';
import { addLeaks } from './commands/leaks.js';
import { addMe } from './commands/me.js';
import { addNotices } from './commands/notices.js';
import { addOwners } from './commands/owners.js';
import { addPlaces } from './commands/places.js';
import { addPolicy } from './commands/policy.js';
import { addRevocations } from './commands/revocations.js';
import { addServer } from './commands/server.js';
import { addTokens } from './commands/tokens.js';
import { addUsers } from './commands/users.js';

/** The whole command line. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('patois')
    .description('A self-hosted token authority: runs it, and administers one that runs.')
    .version(cli.version)
    .option('--url <address>', 'the server; default: PATOIS_URL, else http://127.0.0.1:3000')
    .option('--login <login>', 'with the password of this user, which is typed in')
    .option(
      '--token-file <file>',
      'with the token in this file, which nobody else may read; default: PATOIS_TOKEN',
    )
    .option('--json', "the API's own JSON instead of tables")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'patois: ')) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help explains it)');
  examples(
    program,
    'patois serve',
    'patois whoami --login admin',
    'patois tokens list --owner ada',
    'patois tokens create --help',
  );
  addServer(program, cli);
  addMe(program, cli);
  addUsers(program, cli);
  addPlaces(program, cli);
  addTokens(program, cli);
  addOwners(program, cli);
  addRevocations(program, cli);
  addPolicy(program, cli);
  addImport(program, cli);
  addNotices(program, cli);
  addLeaks(program, cli);
  addAudit(program, cli);
  addJobs(program, cli);
  addCompletion(program, cli);
  return program;
}
