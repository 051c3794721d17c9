import type { Command } from 'commander';
import type { Permission, Role } from '../../accounts/user.entity.js';
import type { CreateUser, UpdateUser, User } from '../../administration/users/users.dto.js';
import {
  choice,
  choicesOf,
  type Cli,
  examples,
  given,
  listOptions,
  repeatable,
  yesOption,
} from '../command.js';
import { usageError } from '../exit.js';
import { confirm, newPassword } from '../input/ask.js';
import { printable } from '../output/printable.js';
import type { Column } from '../output/table.js';
import { joined, shortTime, yesNo } from '../output/texts.js';
import { type OnWire, path, type Query } from '../server/api.js';
import type { ListOptions } from '../session.js';

type Shown = OnWire<User>;

const ROLES = choicesOf<Role>({ member: true, organizationAdministrator: true, administrator: true });
const PERMISSIONS = choicesOf<Permission>({
  view_users: true,
  create_users: true,
  edit_users: true,
  destroy_users: true,
  view_personal_access_tokens: true,
  create_personal_access_tokens: true,
  revoke_personal_access_tokens: true,
});

const USERS = '/patois/v1/users';

const COLUMNS: Column<Shown>[] = [
  { title: 'login', text: ({ login }) => login, isWhole: true },
  { title: 'name', text: ({ name }) => name },
  { title: 'role', text: ({ role }) => role },
  { title: 'organization', text: ({ organization }) => organization.name },
  {
    title: 'state',
    text: ({ disabled }) => (disabled ? 'disabled' : 'active'),
    style: ({ disabled }) => (disabled ? 'red' : 'green'),
  },
  { title: 'created', text: ({ createdAt }) => shortTime(createdAt) },
];

/** Every part of a user. */
export const USER_PARTS: Column<Shown>[] = [
  { title: 'login', text: ({ login }) => login },
  { title: 'id', text: ({ id }) => id },
  { title: 'numeric id', text: ({ numericId }) => numericId },
  { title: 'name', text: ({ name }) => name },
  { title: 'email', text: ({ email }) => email },
  { title: 'role', text: ({ role }) => role },
  { title: 'permissions', text: ({ permissions }) => joined(permissions) },
  { title: 'organization', text: ({ organization }) => organization.name },
  { title: 'locations', text: ({ locations }) => joined(locations.map(({ name }) => name)) },
  { title: 'disabled', text: ({ disabled }) => yesNo(disabled) },
  { title: 'created', text: ({ createdAt }) => createdAt },
  { title: 'updated', text: ({ updatedAt }) => updatedAt },
];

/** What both calls take. */
type Changes = { [Key in keyof Omit<UpdateUser, 'password' | 'disabled'>]: UpdateUser[Key] };

interface UserOptions extends Pick<
  UpdateUser,
  'email' | 'name' | 'role' | 'permissions' | 'organization' | 'locations'
> {
  /** True: it is asked for; false, by `--no-password`: there is none any more. */
  password?: boolean;
  permission?: UpdateUser['permissions'];
  location?: string[];
  disable?: boolean;
  enable?: boolean;
}

/** `patois users`: who owns tokens. */
export function addUsers(program: Command, cli: Cli): void {
  const users = program.command('users').description('users: who owns tokens');
  addReading(users, cli);
  addChanges(users, cli);
  addWithoutServer(users, cli);
}

function addReading(users: Command, cli: Cli): void {
  const list = users.command('list').description('lists users, newest first');
  examples(
    list,
    'patois users list',
    'patois users list --organization Research --disabled',
    'patois users list --all --json',
  );
  listOptions(list)
    .option('-q, --query <text>', 'part of login, name or email')
    .option('--organization <name>', 'name or uuid')
    .option('--disabled', 'disabled ones alone')
    .action(async ({ query, organization, disabled, ...limits }: ListOptions & Query, command: Command) => {
      await cli.session(command).list<User>(USERS, { q: query, organization, disabled }, limits, COLUMNS);
    });

  const show = users.command('show').description('shows a user').argument('<user>', 'login or uuid');
  examples(show, 'patois users show ada').action(async (user: string, _options: object, command: Command) => {
    const session = cli.session(command);
    await session.show(await (await session.api()).get<User>(path`/patois/v1/users/${user}`), USER_PARTS);
  });
}

function addChanges(users: Command, cli: Cli): void {
  const create = users.command('create').description('makes a user').argument('<login>');
  examples(
    create,
    'patois users create ada --name "Ada Lovelace" --email ada@example.org --password',
    'patois users create robot --organization Research',
  );
  userOptions(create)
    .option('--password', 'give a password: typed in, or on standard input')
    .action(async (login: string, options: UserOptions, command: Command) => {
      const session = cli.session(command);
      const api = await session.api();
      const password = options.password ? { password: await newPassword(cli.terminal, login) } : {};
      const body: CreateUser = { login, ...changesOf(options), ...password };
      const made = await api.send<User>('POST', USERS, { body });
      await session.show(made.body, USER_PARTS);
    });

  const update = users.command('update').description('changes a user').argument('<user>', 'login or uuid');
  examples(
    update,
    'patois users update ada --role organizationAdministrator',
    'patois users update ada --disable',
  );
  userOptions(update)
    .option('--password', 'give a new password: typed in, or on standard input')
    .option('--no-password', 'take the password away: no login by password')
    .option('--disable', "the user's password and tokens stop working")
    .option('--enable', 'they work again')
    .action(async (user: string, options: UserOptions, command: Command) => {
      const session = cli.session(command);
      const body: UpdateUser | undefined = given({
        ...changesOf(options),
        disabled: disabledOf(options),
        // Known before it is asked for: an update of nothing asks nobody.
        password: options.password === undefined ? undefined : null,
      });
      if (!body) throw usageError('Nothing to change: see patois users update --help');
      const api = await session.api();
      if (options.password) body.password = await newPassword(cli.terminal, user);
      const changed = await api.send<User>('PATCH', path`/patois/v1/users/${user}`, { body });
      await session.show(changed.body, USER_PARTS);
    });

  const remove = users
    .command('delete')
    .description("deletes a user and revokes the user's tokens")
    .argument('<user>', 'login or uuid');
  yesOption(examples(remove, 'patois users delete ada', 'patois users delete ada --yes')).action(
    async (user: string, { yes }: { yes?: boolean }, command: Command) => {
      const session = cli.session(command);
      await confirm(cli.terminal, `Delete the user ${printable(user)} and revoke all tokens?`, yes);
      await (await session.api()).send('DELETE', path`/patois/v1/users/${user}`);
      session.done(`The user ${printable(user)} is deleted`);
    },
  );
}

/** What must work when no server does: on the database, with the settings of a server. */
function addWithoutServer(users: Command, cli: Cli): void {
  const setPassword = users
    .command('set-password')
    .description('gives a user a new password, on the database: for a password that is lost')
    .argument('<user>', 'login or uuid');
  examples(
    setPassword,
    'patois users set-password admin',
    'patois users set-password admin < password-file',
    'DATABASE_URL=postgres://… TOKEN_KEYS=… patois users set-password admin',
  ).action(async (user: string) => {
    const { setPasswordOf } = await import('../store/accounts.js');
    const login = await setPasswordOf(user, () => newPassword(cli.terminal, user), cli.version);
    cli.terminal.say(`The password of ${login} is set; sessions that began with the old one have ended`);
  });

  const first = users
    .command('first-administrator')
    .description(
      'makes the schema, the organization Default and the administrator admin where there are no users yet',
    )
    .option(
      '--password',
      'with this password: typed in, or on standard input; else one is made and printed once',
    );
  examples(
    first,
    'patois users first-administrator',
    'patois users first-administrator --password < password-file',
  ).action(async ({ password }: { password?: boolean }) => {
    const { makeFirst } = await import('../store/accounts.js');
    const chosen = password ? await newPassword(cli.terminal, 'admin') : undefined;
    const { login, generatedPassword } = await makeFirst(chosen);
    cli.terminal.say(`The organization Default and the administrator ${login} are made`);
    if (generatedPassword === undefined) return;
    cli.terminal.say('The password, shown this once:');
    await cli.terminal.write(`${generatedPassword}\n`);
  });
}

function userOptions(command: Command): Command {
  return command
    .option('--name <name>')
    .option('--email <address>')
    .addOption(choice('--role <role>', 'what the user may do', ROLES))
    .addOption(repeatable('--permission <name>', `one of ${PERMISSIONS.join(', ')}`))
    .option('--organization <name>', 'name or uuid')
    .addOption(repeatable('--location <name>', 'name or uuid'));
}

function changesOf({ name, email, role, permission, organization, location }: UserOptions): Changes {
  return given({ name, email, role, permissions: permission, organization, locations: location }) ?? {};
}

function disabledOf({ disable, enable }: UserOptions): boolean | undefined {
  if (disable && enable) throw usageError('Either --disable or --enable');
  return disable ? true : enable ? false : undefined;
}
