import type { Command } from 'commander';
import type { Owner } from '../../administration/owners/owners.dto.js';
import { type Cli, examples, listOptions } from '../command.js';
import type { Column } from '../output/table.js';
import { shortTime } from '../output/texts.js';
import type { OnWire, Query } from '../server/api.js';
import type { ListOptions } from '../session.js';
import { countsText } from './token-counts.js';
import { tokenFilterOf, tokenFilterOptions } from './token-filter.js';

const COLUMNS: Column<OnWire<Owner>>[] = [
  { title: 'login', text: ({ login }) => login, isWhole: true },
  { title: 'name', text: ({ name }) => name },
  { title: 'organization', text: ({ organization }) => organization.name },
  {
    title: 'state',
    text: ({ disabled }) => (disabled ? 'disabled' : 'active'),
    style: ({ disabled }) => (disabled ? 'red' : 'green'),
  },
  { title: 'tokens', text: ({ tokens }) => tokens.total },
  { title: 'by dialect', text: ({ tokens }) => countsText(tokens.byDialect) },
  { title: 'last used', text: ({ lastUsedAt }) => shortTime(lastUsedAt) ?? 'never' },
  {
    title: 'holds at most',
    text: ({ mostPowerfulScope }) =>
      mostPowerfulScope && `${mostPowerfulScope.scope} (${mostPowerfulScope.dialect})`,
  },
];

/** `patois owners`: who owns which tokens. */
export function addOwners(program: Command, cli: Cli): void {
  const owners = program.command('owners').description('who owns which tokens');
  const list = owners
    .command('list')
    .description('lists the owners of tokens that are neither revoked nor expired, unless --status is given');
  listOptions(
    tokenFilterOptions(
      examples(
        list,
        'patois owners list',
        'patois owners list --organization Research --without-expiry',
        'patois owners list --scope repo:admin --all --json',
      ),
    ),
  ).action(async (options: ListOptions & Query, command: Command) => {
    await cli.session(command).list<Owner>('/patois/v1/owners', tokenFilterOf(options), options, COLUMNS);
  });
}
