import type { Command } from 'commander';
import type { ChangePassword, Me } from '../../administration/me/me.dto.js';
import type { VerificationAnswer, VerificationBatchAnswer } from '../../verification/batch/batch.dto.js';
import { type Cli, examples, repeatable } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import { askSecret, newPassword, readSecret } from '../input/ask.js';
import type { Column } from '../output/table.js';
import { joined } from '../output/texts.js';
import type { OnWire } from '../server/api.js';
import { USER_PARTS } from './users.js';

const ME_PARTS: Column<OnWire<Me>>[] = [
  ...USER_PARTS.map(({ title, text }) => ({ title, text: ({ user }: OnWire<Me>) => text(user) })),
  { title: 'by', text: ({ token }) => (token ? `token ${token.tokenId} (${token.dialect})` : 'password') },
  { title: 'scopes', text: ({ token }) => token && joined(token.scopes) },
];

const VERIFICATION_PARTS: Column<OnWire<VerificationAnswer>>[] = [
  {
    title: 'active',
    text: ({ active }) => (active ? 'yes' : 'no'),
    style: ({ active }) => (active ? 'green' : 'red'),
  },
  { title: 'reason', text: ({ reason }) => reason },
  { title: 'token id', text: ({ jti }) => jti },
  { title: 'owner', text: ({ username }) => username },
  { title: 'organization', text: ({ organization }) => organization },
  { title: 'dialect', text: ({ dialect }) => dialect },
  { title: 'scopes', text: ({ scope }) => scope },
];

/** `patois whoami`, `patois password` and `patois verify`. */
export function addMe(program: Command, cli: Cli): void {
  const whoami = program.command('whoami').description('shows whose credential this is, and what it may do');
  examples(whoami, 'patois whoami', 'patois whoami --login ada').action(
    async (_options: object, command: Command) => {
      const session = cli.session(command);
      await session.show(await (await session.api()).get<Me>('/patois/v1/me'), ME_PARTS);
    },
  );

  const password = program
    .command('password')
    .description('changes your own password; with --login, for it is changed by password');
  examples(password, 'patois password --login ada').action(async (_options: object, command: Command) => {
    const session = cli.session(command);
    const api = await session.api();
    const { login } = (await api.get<Me>('/patois/v1/me')).user;
    const body: ChangePassword = {
      oldPassword: await askSecret(cli.terminal, `Password of ${login} until now`),
      newPassword: await newPassword(cli.terminal, login),
    };
    await api.send('PUT', '/patois/v1/me/password', { body });
    session.done('The password is changed');
  });

  const verify = program
    .command('verify')
    .description('asks whether a token, which it reads from standard input, works');
  examples(verify, 'patois verify < token', 'patois verify --scope repo:read --client-ip 203.0.113.7 < token')
    .addOption(repeatable('--scope <scope>', 'what it must cover'))
    .option('--client-ip <address>', 'where it comes from')
    .action(async ({ scope, clientIp }: { scope?: string[]; clientIp?: string }, command: Command) => {
      const session = cli.session(command);
      const api = await session.api();
      const token = cli.terminal.isInteractive
        ? await askSecret(cli.terminal, 'Token')
        : await readSecret(cli.terminal);
      const body = { verifications: [{ token, clientIp, scope: scope?.join(' ') }] };
      const { verifications } = (
        await api.send<VerificationBatchAnswer>('POST', '/patois/v1/verifications', { body })
      ).body;
      const [answer] = verifications;
      if (!answer) throw new CommandError('The server gave no answer', EXIT.failed);
      await session.show(answer, VERIFICATION_PARTS);
      if (!answer.active) throw new CommandError('The token does not work', EXIT.refused);
    });
}
