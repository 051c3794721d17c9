import type { Command } from 'commander';
import type { AuditEvent } from '../../administration/audit/audit.dto.js';
import type { AuditSeal } from '../../administration/audit/seals.dto.js';
import { type Cli, examples, listOptions } from '../command.js';
import { parsePast } from '../input/when.js';
import type { Column } from '../output/table.js';
import type { OnWire, Query } from '../server/api.js';
import type { ListOptions } from '../session.js';
import { addAuditVerification } from './audit-verification.js';
import { exportAll, type ExportOptions, exportOptions } from './export.js';

const EVENTS = '/patois/v1/audit-events';

const COLUMNS: Column<OnWire<AuditEvent>>[] = [
  { title: 'time', text: ({ time }) => secondText(time) },
  { title: 'action', text: ({ action }) => action },
  { title: 'actor', text: ({ actor }) => `${actor.type} ${actor.id ?? ''}`.trim() },
  { title: 'object', text: ({ object }) => `${object.type} ${object.id ?? ''}`.trim() },
  { title: 'address', text: ({ address }) => address },
  { title: 'user agent', text: ({ userAgent }) => userAgent },
];

const SEAL_COLUMNS: Column<OnWire<AuditSeal>>[] = [
  { title: 'seal', text: ({ sequence }) => sequence },
  { title: 'sealed', text: ({ sealedAt }) => secondText(sealedAt) },
  { title: 'events', text: ({ events }) => events },
  { title: 'root', text: ({ root }) => root, isWhole: true },
  { title: 'key', text: ({ key }) => key },
];

/** `patois audit`: who changed what, and when. */
export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command('audit').description('who changed what, and when');
  const list = audit.command('list').description('lists what was done, newest first');
  eventFilterOptions(
    listOptions(
      examples(
        list,
        'patois audit list --since 7d',
        'patois audit list --actor ada --action token.revoke',
        'patois audit list --object pt-4fK2mZq81LxT --json',
        'patois audit list --owner ada --since 30d',
      ),
    ),
  ).action(async (options: ListOptions & Query, command: Command) => {
    await cli.session(command).list<AuditEvent>(EVENTS, eventFilterOf(options), options, COLUMNS);
  });

  const whole = audit.command('export').description('writes the whole audit trail, or what a filter leaves');
  eventFilterOptions(
    exportOptions(
      examples(
        whole,
        'patois audit export --output trail.ndjson',
        'patois audit export --since 30d --action token.revoke -o revoked.csv',
      ),
    ),
  ).action(async (options: ExportOptions & Query, command: Command) => {
    await exportAll(cli.session(command), `${EVENTS}/export`, eventFilterOf(options), options);
  });

  const seals = audit
    .command('seals')
    .description('lists the seals over the audit trail, newest first: keep a root of them elsewhere');
  listOptions(
    examples(seals, 'patois audit seals', 'patois audit seals --limit 1 --json > seal.json'),
  ).action(async (options: ListOptions, command: Command) => {
    await cli.session(command).list<AuditSeal>('/patois/v1/audit-seals', {}, options, SEAL_COLUMNS);
  });
  addAuditVerification(audit, cli);
}

function eventFilterOptions(command: Command): Command {
  return command
    .option('--actor <actor>', 'login or uuid of a user, or a token id')
    .option('--action <action>', 'such as token.revoke')
    .option('--object <object>', 'a token id, login, uuid or address')
    .option('--owner <owner>', 'login or uuid of a user: what was done to the account and its tokens')
    .option('--organization <organization>', 'name or uuid: what was done to it and to its users')
    .option('--address <address>', 'where the request came from')
    .option('--request-id <id>', 'the X-Request-Id of its answer')
    .option('--since <when>', 'a time, or how long ago: 7d', parsePast)
    .option('--until <when>', 'a time, or how long ago: 7d', parsePast);
}

function eventFilterOf(options: Query): Query {
  const { actor, action, object, owner, organization, address, requestId, since, until } = options;
  return { actor, action, object, owner, organization, address, requestId, since, until };
}

function secondText(instant: string): string {
  return `${instant.slice(0, 19).replace('T', ' ')}Z`;
}
