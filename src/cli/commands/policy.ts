import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import type { Job } from '../../administration/jobs/jobs.dto.js';
import type { Policy, PolicyPreview, ReplacePolicy } from '../../administration/policies/policies.dto.js';
import { choice, type Cli, examples, given, repeatable, yesOption } from '../command.js';
import { usageError } from '../exit.js';
import { confirm } from '../input/ask.js';
import { orNull, parseCountOrNone, parseSeconds, parseSecondsOrNone } from '../input/when.js';
import { printable } from '../output/printable.js';
import { type Column, renderTable } from '../output/table.js';
import { duration, joined, yesNo } from '../output/texts.js';
import { type Api, type OnWire, path } from '../server/api.js';
import type { Session } from '../session.js';
import { followJob } from './job-wait.js';
import { JOB_PARTS } from './jobs.js';
import { TOKEN_COLUMNS } from './tokens.js';

const YES_NO = ['yes', 'no'];
const EXISTING = ['keep', 'conform'] as const;

const PARTS: Column<OnWire<Policy>>[] = [
  { title: 'longest life', text: ({ maxLifetimeSeconds }) => duration(maxLifetimeSeconds) ?? 'no limit' },
  {
    title: 'life by default',
    text: ({ defaultLifetimeSeconds }) => duration(defaultLifetimeSeconds) ?? 'the longest',
  },
  { title: 'without expiry', text: ({ allowNonExpiring }) => yesNo(allowNonExpiring) },
  { title: 'longest unused', text: ({ maxUnusedSeconds }) => duration(maxUnusedSeconds) ?? 'no limit' },
  { title: 'tokens a user', text: ({ maxTokensPerUser }) => maxTokensPerUser ?? 'no limit' },
  { title: 'addresses', text: ({ allowedCidrs }) => joined(allowedCidrs) || 'any' },
  { title: 'must have blocks', text: ({ requireCidrs }) => yesNo(requireCidrs) },
  { title: 'grace', text: ({ defaultGraceSeconds }) => duration(defaultGraceSeconds) },
  { title: 'on reuse', text: ({ onReuse }) => onReuse },
  { title: 'on leak', text: ({ onLeak }) => onLeak },
];

const PREVIEW_PARTS: Column<OnWire<PolicyPreview>>[] = [
  { title: 'tokens that break it', text: ({ affected }) => affected },
  {
    title: 'by rule',
    text: ({ byRule }) =>
      joined(
        Object.entries(byRule)
          .filter(([, count]) => count > 0)
          .map(([rule, count]) => `${rule} ${count}`),
      ),
  },
];

interface PolicyOptions {
  file?: string;
  maxLifetime?: number | 'none';
  defaultLifetime?: number | 'none';
  allowNonExpiring?: string;
  maxUnused?: number | 'none';
  maxTokens?: number | 'none';
  cidr?: string[];
  anyAddress?: boolean;
  requireCidrs?: string;
  grace?: number;
  onReuse?: Policy['onReuse'];
  onLeak?: Policy['onLeak'];
}

interface SetOptions extends PolicyOptions {
  existing?: (typeof EXISTING)[number];
  wait: boolean;
  yes?: boolean;
}

/** `patois policy`: what an organization wants of the tokens of its users. */
export function addPolicy(program: Command, cli: Cli): void {
  const policy = program
    .command('policy')
    .description('what an organization wants of the tokens of its users');

  const show = policy
    .command('show')
    .description('shows a policy')
    .argument('<organization>', 'name or uuid');
  examples(show, 'patois policy show Default').action(
    async (organization: string, _options: object, command: Command) => {
      const session = cli.session(command);
      await session.show((await readPolicy(await session.api(), organization)).policy, PARTS);
    },
  );

  const preview = policy
    .command('preview')
    .description('counts the tokens that would break a policy; changes nothing')
    .argument('<organization>', 'name or uuid');
  policyOptions(
    examples(
      preview,
      'patois policy preview Default --max-lifetime 90d',
      'patois policy preview Default --file policy.json',
    ),
  ).action(async (organization: string, options: PolicyOptions, command: Command) => {
    const session = cli.session(command);
    const api = await session.api();
    const { policy: wanted } = await wantedPolicy(api, organization, options);
    const at = path`/patois/v1/organizations/${organization}/policy/preview`;
    const effects = (await api.send<PolicyPreview>('POST', at, { body: wanted })).body;
    await session.show(effects, PREVIEW_PARTS);
    if (session.isJson || effects.sample.length === 0) return;
    await cli.terminal.write(`\n${renderTable(TOKEN_COLUMNS, effects.sample, cli.terminal.layout)}`);
  });

  const set = policy
    .command('set')
    .description('changes a policy; what is not named stays as it is, with --file it has its default')
    .argument('<organization>', 'name or uuid');
  yesOption(
    policyOptions(
      examples(
        set,
        'patois policy set Default --max-lifetime 90d --default-lifetime 30d',
        'patois policy set Default --cidr 203.0.113.0/24 --existing conform',
        'patois policy show Default --json > policy.json',
        'patois policy set Default --file policy.json',
      ),
    ),
  )
    .addOption(choice('--existing <what>', 'what becomes of tokens that break it', EXISTING))
    .option('--no-wait', 'do not wait for the job that makes them conform')
    .action(async (organization: string, options: SetOptions, command: Command) => {
      await setPolicy(cli.session(command), organization, options);
    });
}

async function setPolicy(session: Session, organization: string, options: SetOptions): Promise<void> {
  const { existing, wait, yes } = options;
  const api = await session.api();
  const { policy, tag } = await wantedPolicy(api, organization, options);
  if (existing === 'conform') {
    const question = `Shorten, confine or revoke the tokens in ${printable(organization)} that break it?`;
    await confirm(session.terminal, question, yes);
  }
  const answer = await api.send<Policy | Job>('PUT', path`/patois/v1/organizations/${organization}/policy`, {
    query: { existing },
    body: policy,
    // Two who change it at once: the second is told.
    headers: tag === null ? {} : { 'if-match': tag },
  });
  if (answer.status !== 202) return session.show(answer.body as OnWire<Policy>, PARTS);
  await followJob(session, answer.body as OnWire<Job>, JOB_PARTS, wait);
}

function policyOptions(command: Command): Command {
  return command
    .option('--file <file>', 'the whole policy as JSON, as policy show --json gives it')
    .option('--max-lifetime <duration>', 'how long a token may live: 90d, or none', parseSecondsOrNone)
    .option('--default-lifetime <duration>', 'where a call names no expiry: 30d, or none', parseSecondsOrNone)
    .addOption(choice('--allow-non-expiring <yes|no>', 'whether a token may have no expiry', YES_NO))
    .option('--max-unused <duration>', 'how long a token may be unused: 90d, or none', parseSecondsOrNone)
    .option('--max-tokens <count>', 'how many a user may have: 50, or none', parseCountOrNone)
    .addOption(repeatable('--cidr <block>', 'what the blocks of every token lie within'))
    .option('--any-address', 'tokens may work from anywhere')
    .addOption(choice('--require-cidrs <yes|no>', 'whether every token must have blocks', YES_NO))
    .option(
      '--grace <duration>',
      'how long an old secret works after a rotation that does not say',
      parseSeconds,
    )
    .addOption(choice('--on-reuse <what>', 'when a replaced secret is presented again', ['alert', 'revoke']))
    .addOption(choice('--on-leak <what>', 'when a token is reported as leaked', ['notify', 'revoke']));
}

/** The policy that is asked for, and the tag of the one it replaces; a file replaces whatever there is. */
async function wantedPolicy(
  api: Api,
  organization: string,
  options: PolicyOptions,
): Promise<{ policy: OnWire<Partial<ReplacePolicy>>; tag: string | null }> {
  const changes = changesOf(options);
  if (options.file !== undefined) {
    if (changes) throw usageError('Either --file or single rules');
    return { policy: await readPolicyFile(options.file), tag: null };
  }
  if (!changes) throw usageError('Which rules? See patois policy set --help');
  const { policy, tag } = await readPolicy(api, organization);
  return { policy: { ...policy, ...changes }, tag };
}

function changesOf(options: PolicyOptions): Partial<OnWire<ReplacePolicy>> | undefined {
  if (options.cidr && options.anyAddress) throw usageError('Either --cidr or --any-address');
  const isYes = (text: string | undefined): boolean | undefined =>
    text === undefined ? undefined : text === 'yes';
  return given({
    maxLifetimeSeconds: orNull(options.maxLifetime),
    defaultLifetimeSeconds: orNull(options.defaultLifetime),
    allowNonExpiring: isYes(options.allowNonExpiring),
    maxUnusedSeconds: orNull(options.maxUnused),
    maxTokensPerUser: orNull(options.maxTokens),
    allowedCidrs: options.anyAddress ? [] : options.cidr,
    requireCidrs: isYes(options.requireCidrs),
    defaultGraceSeconds: options.grace,
    onReuse: options.onReuse,
    onLeak: options.onLeak,
  });
}

async function readPolicy(
  api: Api,
  organization: string,
): Promise<{ policy: OnWire<Policy>; tag: string | null }> {
  const { body, headers } = await api.send<Policy>(
    'GET',
    path`/patois/v1/organizations/${organization}/policy`,
  );
  return { policy: body, tag: headers.get('etag') };
}

async function readPolicyFile(file: string): Promise<OnWire<Partial<ReplacePolicy>>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${file} cannot be read: ${error.code}`);
  });
  try {
    // The server says what is wrong with its parts.
    return JSON.parse(text) as OnWire<Partial<ReplacePolicy>>;
  } catch {
    throw usageError(`${file} is not JSON`);
  }
}
