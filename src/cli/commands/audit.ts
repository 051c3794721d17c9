import type { Command } from 'commander';
import type { AuditEvent } from '../../administration/audit/audit.dto.js';
import { type Cli, examples, listOptions } from '../command.js';
import { parsePast } from '../input/when.js';
import type { Column } from '../output/table.js';
import { type OnWire, type Query } from '../server/api.js';
import type { ListOptions } from '../session.js';

const COLUMNS: Column<OnWire<AuditEvent>>[] = [
  { title: 'time', text: ({ time }) => `${time.slice(0, 19).replace('T', ' ')}Z` },
  { title: 'action', text: ({ action }) => action },
  { title: 'actor', text: ({ actor }) => `${actor.type} ${actor.id ?? ''}`.trim() },
  { title: 'object', text: ({ object }) => `${object.type} ${object.id ?? ''}`.trim() },
  { title: 'address', text: ({ address }) => address },
  { title: 'user agent', text: ({ userAgent }) => userAgent },
];

/** `patois audit`: who changed what, and when. */
export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command('audit').description('who changed what, and when');
  const list = audit.command('list').description('lists what was done, newest first');
  listOptions(
    examples(
      list,
      'patois audit list --since 7d',
      'patois audit list --actor ada --action token.revoke',
      'patois audit list --object pt-4fK2mZq81LxT --json',
    ),
  )
    .option('--actor <actor>', 'login or uuid of a user, or a token id')
    .option('--action <action>', 'such as token.revoke')
    .option('--object <object>', 'a token id, login, uuid or address')
    .option('--since <when>', 'a time, or how long ago: 7d', parsePast)
    .option('--until <when>', 'a time, or how long ago: 7d', parsePast)
    .action(
      async ({ limit, all, actor, action, object, since, until }: ListOptions & Query, command: Command) => {
        const query = { actor, action, object, since, until };
        const limits = { limit, ...(all ? { all } : {}) };
        await cli.session(command).list<AuditEvent>('/patois/v1/audit-events', query, limits, COLUMNS);
      },
    );
}
