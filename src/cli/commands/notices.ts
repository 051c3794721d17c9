import type { Command } from 'commander';
import type {
  CreateNoticeChannel,
  NoticeChannel,
  NoticeChannelWithSecret,
  RotateNoticeSecret,
  UpdateNoticeChannel,
} from '../../administration/notices/notices.dto.js';
import type { NoticeEvent } from '../../notices/notice.js';
import { choicesOf, type Cli, examples, given, listOptions, repeatable, yesOption } from '../command.js';
import { usageError } from '../exit.js';
import { askSecret, confirm, readSecret } from '../input/ask.js';
import { parseSeconds } from '../input/when.js';
import { printable } from '../output/printable.js';
import type { Column } from '../output/table.js';
import { joined } from '../output/texts.js';
import { type OnWire, path } from '../server/api.js';
import type { ListOptions, Session } from '../session.js';
import { addDeliveries } from './notice-deliveries.js';

type Channel = OnWire<NoticeChannel>;

const CHANNELS = '/patois/v1/notice-channels';
const EVENTS = choicesOf<NoticeEvent>({
  'token.expiring': true,
  'token.expired': true,
  'token.reused': true,
  'token.leaked': true,
  'token.newAddress': true,
  'token.revokedByPolicy': true,
  'policy.changed': true,
});

const STATE: Column<Channel> = {
  title: 'state',
  text: ({ enabled }) => (enabled ? 'enabled' : 'disabled'),
  style: ({ enabled }) => (enabled ? 'green' : 'red'),
};

const COLUMNS: Column<Channel>[] = [
  { title: 'id', text: ({ id }) => id, isWhole: true },
  { title: 'kind', text: ({ kind }) => kind },
  { title: 'to', text: ({ url, to }) => url ?? to },
  { title: 'organization', text: ({ organization }) => organization?.name ?? 'all' },
  STATE,
  { title: 'failures', text: ({ failures }) => failures },
  { title: 'events', text: ({ events }) => joined(events) },
];

const PARTS: Column<Channel>[] = [
  { title: 'id', text: ({ id }) => id },
  { title: 'kind', text: ({ kind }) => kind },
  { title: 'to', text: ({ url, to }) => url ?? to },
  { title: 'events', text: ({ events }) => joined(events) },
  { title: 'organization', text: ({ organization }) => organization?.name ?? 'all' },
  STATE,
  { title: 'disabled because', text: ({ disabledReason }) => disabledReason },
  { title: 'failures in a row', text: ({ failures }) => failures },
  { title: 'old secret until', text: ({ previousSecretUntil }) => previousSecretUntil },
  { title: 'created', text: ({ createdAt }) => createdAt },
  { title: 'updated', text: ({ updatedAt }) => updatedAt },
];

interface NewChannel {
  to?: string;
  event: string[];
  organization?: string;
  everywhere?: boolean;
}

interface Changes {
  to?: string;
  address?: boolean;
  event?: string[];
  enable?: boolean;
  disable?: boolean;
}

/** `patois notices`: who is told of what happens to tokens and policies. */
export function addNotices(program: Command, cli: Cli): void {
  const notices = program
    .command('notices')
    .description('who is told of what happens to tokens and policies: channels, and what became of notices');
  addReading(notices, cli);
  addChanges(notices, cli);
  addDeliveries(notices, cli);
}

function addReading(notices: Command, cli: Cli): void {
  const list = notices.command('list').description('lists channels, newest first');
  listOptions(examples(list, 'patois notices list')).action(async (limits: ListOptions, command: Command) => {
    await cli.session(command).list<NoticeChannel>(CHANNELS, {}, limits, COLUMNS);
  });

  const show = notices.command('show').description('shows a channel, without its secret').argument('<id>');
  examples(show, 'patois notices show 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21').action(
    async (id: string, _options: object, command: Command) => {
      const session = cli.session(command);
      const api = await session.api();
      await session.show(await api.get<NoticeChannel>(path`/patois/v1/notice-channels/${id}`), PARTS);
    },
  );
}

function addChanges(notices: Command, cli: Cli): void {
  const create = notices
    .command('create')
    .description(
      'makes a channel; the secret that signs for a webhook is written to standard output, this once',
    )
    .argument('<kind>', 'webhook, whose address is typed in or on standard input: it may be secret; or mail');
  examples(
    create,
    'patois notices create webhook --event token.leaked --event token.reused < address > secret',
    'patois notices create mail --to security@example.com --event token.expiring --organization Research',
  )
    .option('--to <address>', 'of a mail channel: the mailbox')
    .addOption(repeatable('--event <event>', `one of ${EVENTS.join(', ')}`).makeOptionMandatory())
    .option('--organization <name>', 'name or uuid: of its tokens and policy alone')
    .option('--everywhere', 'of all organizations')
    .action(async (kind: string, options: NewChannel, command: Command) => {
      await createChannel(cli.session(command), kind, options);
    });

  const update = notices.command('update').description('changes a channel').argument('<id>');
  examples(
    update,
    'patois notices update 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21 --event token.leaked',
    'patois notices update 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21 --address < address',
    'patois notices update 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21 --disable',
  )
    .option('--to <address>', 'of a mail channel: the mailbox')
    .option('--address', 'of a webhook: a new address, typed in or on standard input')
    .addOption(repeatable('--event <event>', 'what it is told of, instead of what it was'))
    .option('--enable', 'notices go to it')
    .option('--disable', 'none do, and what waits is given up')
    .action(async (id: string, { to, address, event, enable, disable }: Changes, command: Command) => {
      if (enable && disable) throw usageError('Either --enable or --disable');
      const session = cli.session(command);
      const body: Partial<UpdateNoticeChannel> = {
        ...given({ to, events: event as NoticeEvent[] | undefined }),
        ...(enable || disable ? { enabled: enable ?? false } : {}),
        ...(address ? { url: await webhookAddress(session) } : {}),
      };
      if (!given(body)) throw usageError('Nothing to change: see patois notices update --help');
      const at = path`/patois/v1/notice-channels/${id}`;
      const changed = await (await session.api()).send<NoticeChannel>('PATCH', at, { body });
      await session.show(changed.body, PARTS);
    });

  const remove = notices
    .command('delete')
    .description('deletes a channel: what waits for it is not sent, and what was sent is forgotten')
    .argument('<id>');
  yesOption(examples(remove, 'patois notices delete 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21')).action(
    async (id: string, { yes }: { yes?: boolean }, command: Command) => {
      const session = cli.session(command);
      await confirm(cli.terminal, `Delete the channel ${printable(id)}?`, yes);
      await (await session.api()).send('DELETE', path`/patois/v1/notice-channels/${id}`);
      session.done(`The channel ${printable(id)} is deleted`);
    },
  );

  const secret = notices
    .command('secret')
    .description('gives a webhook a new secret, which is written to standard output, this once')
    .argument('<id>');
  examples(secret, 'patois notices secret 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21 --grace 1d > secret')
    .option('--grace <duration>', 'how long the old one signs as well: 1h; default: a day', parseSeconds)
    .action(async (id: string, { grace }: { grace?: number }, command: Command) => {
      const session = cli.session(command);
      const body: Partial<RotateNoticeSecret> = given({ graceSeconds: grace }) ?? {};
      const at = path`/patois/v1/notice-channels/${id}/secret`;
      await showWithSecret(
        session,
        (await (await session.api()).send<NoticeChannelWithSecret>('POST', at, { body })).body,
      );
    });
}

async function createChannel(session: Session, kind: string, options: NewChannel): Promise<void> {
  const { to, event, organization, everywhere } = options;
  if (organization !== undefined && everywhere) throw usageError('Either --organization or --everywhere');
  const api = await session.api();
  const body = {
    kind,
    events: event,
    ...given({ to, organization }),
    ...(everywhere ? { organization: null } : {}),
    ...(kind === 'webhook' ? { url: await webhookAddress(session) } : {}),
    // What is wrong with these the server says.
  } as CreateNoticeChannel;
  await showWithSecret(session, (await api.send<NoticeChannelWithSecret>('POST', CHANNELS, { body })).body);
}

/** Arguments can be read by other users of the machine, and who has the address may post to it. */
function webhookAddress({ terminal }: Session): Promise<string> {
  return terminal.isInteractive ? askSecret(terminal, 'Address of the webhook') : readSecret(terminal);
}

function showWithSecret(session: Session, channel: OnWire<NoticeChannelWithSecret>): Promise<void> {
  return channel.secret === null
    ? session.show(channel, PARTS)
    : session.showSecret(channel, channel.secret, PARTS);
}
