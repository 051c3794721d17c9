import { type Command, Option } from 'commander';
import type { TokenStatus } from '../../tokens/token.entity.js';
import { choice, choicesOf, given } from '../command.js';
import { parseFuture, parsePast } from '../input/when.js';
import type { Query } from '../server/api.js';

export const DIALECTS = ['patois', 'foreman', 'quay', 'yunxiao', 'panther', 'losant'];
const STATUSES = choicesOf<TokenStatus>({ active: true, inactive: true, expired: true, revoked: true });

/** The options that say which tokens are meant; all that are given must hold. */
export function tokenFilterOptions(command: Command): Command {
  return command
    .option('--owner <user>', 'login or uuid')
    .option('--organization <name>', "name or uuid of the owner's")
    .addOption(choice('--dialect <name>', 'the API that issued them', DIALECTS))
    .addOption(choice('--status <status>', 'what they are now', STATUSES))
    .option('--live', 'neither revoked nor expired')
    .addOption(new Option('--ended', 'revoked or expired').conflicts('live'))
    .option('--scope <scope>', 'one that they hold, compared exactly')
    .option('-q, --query <text>', 'part of name, description or token id')
    .option('--created-before <when>', 'a time, or how long ago: 90d', parsePast)
    .option('--created-after <when>', 'a time, or how long ago: 90d', parsePast)
    .option('--created-by <maker>', 'login or uuid of a user, or a token id')
    .option('--last-used-before <when>', 'a time, or how long ago: 90d', parsePast)
    .option('--never-used', 'not used since they were made')
    .addOption(new Option('--used', 'used since they were made').conflicts('neverUsed'))
    .option('--unused-since <when>', 'neither used nor made since: a time, or how long ago', parsePast)
    .option('--expires-before <when>', 'a time, or in how long: 30d', parseFuture)
    .option('--expires-after <when>', 'a time, or in how long: 30d', parseFuture)
    .option('--without-expiry', 'they never expire')
    .addOption(new Option('--with-expiry', 'they expire').conflicts('withoutExpiry'))
    .option('--allows-address <address>', 'an address that their blocks allow')
    .option('--without-cidrs', 'they have no blocks, and work from anywhere')
    .addOption(new Option('--with-cidrs', 'they have blocks').conflicts('withoutCidrs'))
    .option('--violates-policy', 'live, and breaking the policy of their organization')
    .addOption(new Option('--keeps-policy', 'not so').conflicts('violatesPolicy'));
}

/** What was given of {@link tokenFilterOptions}, in the API's words. */
export function tokenFilterOf(options: Query): Query {
  const filter: Query = {
    owner: options['owner'],
    organization: options['organization'],
    dialect: options['dialect'],
    status: options['status'],
    live: flagOf(options, 'live', 'ended'),
    scope: options['scope'],
    q: options['query'],
    createdBefore: options['createdBefore'],
    createdAfter: options['createdAfter'],
    createdBy: options['createdBy'],
    lastUsedBefore: options['lastUsedBefore'],
    neverUsed: flagOf(options, 'neverUsed', 'used'),
    unusedSince: options['unusedSince'],
    expiresBefore: options['expiresBefore'],
    expiresAfter: options['expiresAfter'],
    withoutExpiry: flagOf(options, 'withoutExpiry', 'withExpiry'),
    allowsAddress: options['allowsAddress'],
    withoutCidrs: flagOf(options, 'withoutCidrs', 'withCidrs'),
    violatesPolicy: flagOf(options, 'violatesPolicy', 'keepsPolicy'),
  };
  return given(filter) ?? {};
}

/** A yes or no of the API, which has an option for each. */
function flagOf(options: Query, yes: string, no: string): boolean | undefined {
  if (options[yes]) return true;
  return options[no] ? false : undefined;
}
