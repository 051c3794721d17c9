import type { Command } from 'commander';
import type { NoticeDelivery } from '../../administration/notices/notices.dto.js';
import type { DeliveryStatus } from '../../notices/notice-delivery.entity.js';
import { choice, choicesOf, type Cli, examples, listOptions } from '../command.js';
import type { Column } from '../output/table.js';
import { shortTime } from '../output/texts.js';
import { type OnWire, path, type Query } from '../server/api.js';
import type { ListOptions } from '../session.js';

type Delivery = OnWire<NoticeDelivery>;

const STATUSES = choicesOf<DeliveryStatus>({ waiting: true, delivered: true, failed: true });
const STYLES = { waiting: 'yellow', delivered: 'green', failed: 'red' } as const;

const STATUS: Column<Delivery> = {
  title: 'status',
  text: ({ status }) => status,
  style: ({ status }) => STYLES[status],
};

const COLUMNS: Column<Delivery>[] = [
  { title: 'id', text: ({ id }) => id, isWhole: true },
  { title: 'event', text: ({ event }) => event },
  STATUS,
  { title: 'occurred', text: ({ occurredAt }) => shortTime(occurredAt) },
  { title: 'attempts', text: ({ attempts }) => attempts },
  { title: 'answer', text: ({ responseStatus }) => responseStatus },
  { title: 'error', text: ({ error }) => error },
];

const PARTS: Column<Delivery>[] = [
  { title: 'id', text: ({ id }) => id },
  { title: 'event', text: ({ event }) => event },
  STATUS,
  { title: 'occurred', text: ({ occurredAt }) => occurredAt },
  { title: 'attempts', text: ({ attempts }) => attempts },
  { title: 'next attempt', text: ({ nextAttemptAt }) => nextAttemptAt },
  { title: 'tells', text: ({ data }) => JSON.stringify(data) },
];

/** `patois notices test`, `deliveries` and `redeliver`. */
export function addDeliveries(notices: Command, cli: Cli): void {
  const test = notices
    .command('test')
    .description('sends a notice that says nothing; what becomes of it is among the deliveries')
    .argument('<id>');
  examples(test, 'patois notices test 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21').action(
    async (id: string, _options: object, command: Command) => {
      const session = cli.session(command);
      const at = path`/patois/v1/notice-channels/${id}/test`;
      await session.show((await (await session.api()).send<NoticeDelivery>('POST', at)).body, PARTS);
    },
  );

  const deliveries = notices
    .command('deliveries')
    .description('lists what was or is to be sent to a channel, newest first')
    .argument('<id>');
  listOptions(
    examples(
      deliveries,
      'patois notices deliveries 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21',
      'patois notices deliveries 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21 --status failed',
    ),
  )
    .addOption(choice('--status <status>', 'what became of them', STATUSES))
    .action(async (id: string, { status, ...limits }: ListOptions & Query, command: Command) => {
      const at = path`/patois/v1/notice-channels/${id}/deliveries`;
      await cli.session(command).list<NoticeDelivery>(at, { status }, limits, COLUMNS);
    });

  const redeliver = notices
    .command('redeliver')
    .description('sends a notice again, under the same id')
    .argument('<id>', 'of the channel')
    .argument('<delivery>', 'its id');
  examples(
    redeliver,
    'patois notices redeliver 5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21 9c0f2c3e-2f4b-4c36-8f0a-6b7d1f2e3a4b',
  ).action(async (id: string, delivery: string, _options: object, command: Command) => {
    const session = cli.session(command);
    const at = path`/patois/v1/notice-channels/${id}/deliveries/${delivery}/redeliver`;
    await session.show((await (await session.api()).send<NoticeDelivery>('POST', at)).body, PARTS);
  });
}
