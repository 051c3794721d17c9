import type { Command } from 'commander';
import type { Job } from '../../administration/jobs/jobs.dto.js';
import type { Me } from '../../administration/me/me.dto.js';
import type {
  CreateToken,
  RotateToken,
  Token,
  TokenWithSecret,
  UpdateToken,
} from '../../administration/tokens/tokens.dto.js';
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
import { confirm } from '../input/ask.js';
import { orNull, parseExpiry, parseSeconds } from '../input/when.js';
import { printable } from '../output/printable.js';
import type { Column } from '../output/table.js';
import { joined, shortTime } from '../output/texts.js';
import { type OnWire, path, type Query } from '../server/api.js';
import type { ListOptions } from '../session.js';
import type { TokenSort } from '../../tokens/inventory/token-order.js';
import { exportAll, type ExportOptions, exportOptions } from './export.js';
import { followJob } from './job-wait.js';
import { JOB_PARTS } from './jobs.js';
import { addTokenSummary } from './token-counts.js';
import { DIALECTS, tokenFilterOf, tokenFilterOptions } from './token-filter.js';

type Shown = OnWire<Token>;

const TOKENS = '/patois/v1/tokens';
const STATUS_STYLES = { active: 'green', inactive: 'yellow', expired: 'yellow', revoked: 'red' } as const;
const SORTS = choicesOf<TokenSort>({
  createdAt: true,
  '-createdAt': true,
  name: true,
  '-name': true,
  lastUsedAt: true,
  '-lastUsedAt': true,
  expiresAt: true,
  '-expiresAt': true,
});

const STATUS: Column<Shown> = {
  title: 'status',
  text: ({ status }) => status,
  style: ({ status }) => STATUS_STYLES[status],
};

/** What a table of tokens shows. */
export const TOKEN_COLUMNS: Column<Shown>[] = [
  { title: 'token id', text: ({ tokenId }) => tokenId, isWhole: true },
  { title: 'name', text: ({ name }) => name },
  { title: 'owner', text: ({ owner }) => owner.login },
  { title: 'dialect', text: ({ dialect }) => dialect },
  STATUS,
  { title: 'expires', text: ({ expiresAt }) => shortTime(expiresAt) ?? 'never' },
  { title: 'last used', text: ({ lastUsedAt }) => shortTime(lastUsedAt) ?? 'never' },
];

const PARTS: Column<Shown>[] = [
  { title: 'token id', text: ({ tokenId }) => tokenId },
  { title: 'external id', text: ({ externalId }) => externalId },
  { title: 'uuid', text: ({ uuid }) => uuid },
  { title: 'name', text: ({ name }) => name },
  { title: 'description', text: ({ description }) => description },
  { title: 'dialect', text: ({ dialect }) => dialect },
  { title: 'owner', text: ({ owner }) => owner.login },
  { title: 'organization', text: ({ organization }) => organization.name },
  { title: 'scopes', text: ({ scopes }) => joined(scopes) },
  { title: 'addresses', text: ({ allowedCidrs }) => joined(allowedCidrs) || 'any' },
  STATUS,
  { title: 'expires', text: ({ expiresAt }) => expiresAt ?? 'never' },
  { title: 'created', text: ({ createdAt, createdBy }) => `${createdAt} by ${actorText(createdBy)}` },
  { title: 'updated', text: ({ updatedAt }) => updatedAt },
  { title: 'rotated', text: ({ rotatedAt }) => rotatedAt },
  { title: 'old value until', text: ({ previousValidUntil }) => previousValidUntil },
  { title: 'last used', text: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
  { title: 'from', text: ({ lastUsedAddress }) => lastUsedAddress },
  { title: 'by', text: ({ lastUsedUserAgent }) => lastUsedUserAgent },
  {
    title: 'revoked',
    text: ({ revokedAt, revokedBy }) => revokedAt && `${revokedAt} by ${actorText(revokedBy)}`,
  },
  { title: 'reason', text: ({ revokeReason }) => revokeReason },
];

interface NewToken {
  owner?: string;
  dialect: string;
  description?: string;
  scope?: string[];
  cidr?: string[];
  expires?: string;
}

interface Changes {
  name?: string;
  description?: string;
  cidr?: string[];
  anyAddress?: boolean;
  activate?: boolean;
  deactivate?: boolean;
  expires?: string;
}

interface Revocation {
  reason?: string;
  descendants?: boolean;
  wait: boolean;
  yes?: boolean;
}

/** `patois tokens`: of every dialect. */
export function addTokens(program: Command, cli: Cli): void {
  const tokens = program.command('tokens').description('tokens of every dialect');
  addReading(tokens, cli);
  addTokenSummary(tokens, cli);
  addExport(tokens, cli);
  addIssuing(tokens, cli);
  addChanges(tokens, cli);
}

function addReading(tokens: Command, cli: Cli): void {
  const list = tokens.command('list').description('lists the tokens that you may see');
  examples(
    list,
    'patois tokens list',
    'patois tokens list --owner ada --status active',
    'patois tokens list --last-used-before 90d --sort lastUsedAt',
    "patois tokens list --all --json | jq -r '.items[].tokenId'",
  );
  tokenFilterOptions(listOptions(list))
    .addOption(choice('--sort <key>', 'ascending, or descending with a leading -', SORTS))
    .action(async (options: ListOptions & Query, command: Command) => {
      const query = { ...tokenFilterOf(options), sort: options['sort'] };
      await cli.session(command).list<Token>(TOKENS, query, options, TOKEN_COLUMNS);
    });

  const show = tokens.command('show').description('shows a token, without its secret').argument('<tokenId>');
  examples(show, 'patois tokens show pt-4fK2mZq81LxT').action(
    async (tokenId: string, _options: object, command: Command) => {
      const session = cli.session(command);
      await session.show(await (await session.api()).get<Token>(path`/patois/v1/tokens/${tokenId}`), PARTS);
    },
  );
}

function addExport(tokens: Command, cli: Cli): void {
  const whole = tokens
    .command('export')
    .description('writes all tokens that you may see, or what a filter leaves, without their secrets');
  tokenFilterOptions(
    exportOptions(
      examples(
        whole,
        'patois tokens export --output tokens.csv',
        'patois tokens export --organization Research --status active -o research.ndjson',
        'patois tokens export --without-expiry > tokens.ndjson',
      ),
    ),
  ).action(async (options: ExportOptions & Query, command: Command) => {
    await exportAll(cli.session(command), `${TOKENS}/export`, tokenFilterOf(options), options);
  });
}

function addIssuing(tokens: Command, cli: Cli): void {
  const create = tokens
    .command('create')
    .description('makes a token; its secret is written to standard output, this once')
    .argument('<name>', 'for people');
  examples(
    create,
    'patois tokens create "nightly report" --scope patois:tokens.read --expires 90d',
    'patois tokens create laptop --dialect quay --owner ada',
    '(umask 077; patois tokens create build --scope patois:introspect > token)',
  )
    .option('--owner <user>', 'login or uuid of the user it acts for; default: you')
    .addOption(choice('--dialect <name>', 'the API that it is for', DIALECTS).default('patois'))
    .option('--description <text>')
    .addOption(repeatable('--scope <scope>', 'what it may do, in the words of its dialect'))
    .addOption(repeatable('--cidr <block>', 'where it works from'))
    .option('--expires <when>', 'a time, in how long (90d), or never', parseExpiry)
    .action(async (name: string, options: NewToken, command: Command) => {
      const session = cli.session(command);
      const api = await session.api();
      const owner = options.owner ?? (await api.get<Me>('/patois/v1/me')).user.login;
      const body: OnWire<CreateToken> = {
        name,
        owner,
        dialect: options.dialect,
        ...given({
          description: options.description,
          scopes: options.scope,
          allowedCidrs: options.cidr,
          expiresAt: orNull(options.expires),
        }),
      };
      const made = await api.send<TokenWithSecret>('POST', TOKENS, { body, isIssue: true });
      await session.showSecret(made.body, made.body.token, PARTS);
    });

  const rotate = tokens
    .command('rotate')
    .description('gives a token a new secret, which is written to standard output, this once')
    .argument('<tokenId>');
  examples(rotate, 'patois tokens rotate pt-4fK2mZq81LxT --grace 1h > token')
    .option(
      '--grace <duration>',
      'how long the old secret works beside the new: 1h; default: what the policy says',
      parseSeconds,
    )
    .option('--keep-old', 'the first use of the new secret does not end that')
    .action(
      async (
        tokenId: string,
        { grace, keepOld }: { grace?: number; keepOld?: boolean },
        command: Command,
      ) => {
        const session = cli.session(command);
        const body: Partial<RotateToken> = {
          ...given({ graceSeconds: grace }),
          ...(keepOld ? { retireOnFirstUse: false } : {}),
        };
        const at = path`/patois/v1/tokens/${tokenId}/rotate`;
        const rotated = await (
          await session.api()
        ).send<TokenWithSecret>('POST', at, { body, isIssue: true });
        await session.showSecret(rotated.body, rotated.body.token, PARTS);
      },
    );
}

function addChanges(tokens: Command, cli: Cli): void {
  const update = tokens.command('update').description('changes a token').argument('<tokenId>');
  examples(
    update,
    'patois tokens update pt-4fK2mZq81LxT --expires 30d --cidr 203.0.113.0/24',
    'patois tokens update pt-4fK2mZq81LxT --deactivate',
  )
    .option('--name <name>')
    .option('--description <text>')
    .addOption(repeatable('--cidr <block>', 'where it works from, instead of what it has'))
    .option('--any-address', 'it works from anywhere')
    .option('--activate', 'it works again')
    .option('--deactivate', 'it does not work until it is activated')
    .option('--expires <when>', 'a time, in how long (90d), or never', parseExpiry)
    .action(async (tokenId: string, options: Changes, command: Command) => {
      const body = given(changesOf(options));
      if (!body) throw usageError('Nothing to change: see patois tokens update --help');
      const session = cli.session(command);
      const at = path`/patois/v1/tokens/${tokenId}`;
      const changed = await (await session.api()).send<Token>('PATCH', at, { body });
      await session.show(changed.body, PARTS);
    });

  const revoke = tokens
    .command('revoke')
    .description('revokes a token, for good')
    .argument('<tokenId>')
    .option('--reason <text>', 'kept with the token and in the audit trail')
    .option('--descendants', 'and all that it issued, and what those issued')
    .option('--no-wait', 'do not wait for the job that ends them where they are very many');
  yesOption(
    examples(
      revoke,
      'patois tokens revoke pt-4fK2mZq81LxT --reason "leaked in a build log"',
      'patois tokens revoke pt-4fK2mZq81LxT --descendants --yes',
    ),
  ).action(async (tokenId: string, { yes, reason, descendants, wait }: Revocation, command: Command) => {
    const session = cli.session(command);
    const shown = printable(tokenId);
    await confirm(
      cli.terminal,
      `Revoke ${shown}${descendants ? ' and all that it issued' : ''} for good?`,
      yes,
    );
    const query = { reason, descendants };
    const at = path`/patois/v1/tokens/${tokenId}`;
    const { status, body } = await (await session.api()).send<Job>('DELETE', at, { query });
    session.done(`${shown} is revoked`);
    if (status === 202) await followJob(session, body, JOB_PARTS, wait);
  });
}

function changesOf(options: Changes): Partial<OnWire<UpdateToken>> {
  const { name, description, cidr, anyAddress, activate, deactivate, expires } = options;
  if (activate && deactivate) throw usageError('Either --activate or --deactivate');
  if (cidr && anyAddress) throw usageError('Either --cidr or --any-address');
  const status = activate ? 'active' : deactivate ? 'inactive' : undefined;
  const allowedCidrs = anyAddress ? [] : cidr;
  return given({ name, description, allowedCidrs, status, expiresAt: orNull(expires) }) ?? {};
}

function actorText(actor: Shown['createdBy'] | null): string {
  return actor ? `${actor.type}${actor.id === null ? '' : ` ${actor.id}`}` : '-';
}
