import type { Command } from 'commander';
import type { TokenStatus } from '../../tokens/token.entity.js';
import { choice, choicesOf } from '../command.js';
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
    .option('--scope <scope>', 'one that they hold, compared exactly')
    .option('-q, --query <text>', 'part of name, description or token id')
    .option('--created-before <when>', 'a time, or how long ago: 90d', parsePast)
    .option('--last-used-before <when>', 'a time, or how long ago: 90d', parsePast)
    .option('--never-used', 'not used since they were made')
    .option('--expires-before <when>', 'a time, or in how long: 30d', parseFuture)
    .option('--allows-address <address>', 'an address that their blocks allow');
}

/** What was given of {@link tokenFilterOptions}, in the API's words. */
export function tokenFilterOf(options: Query): Query {
  return {
    owner: options['owner'],
    organization: options['organization'],
    dialect: options['dialect'],
    status: options['status'],
    scope: options['scope'],
    q: options['query'],
    createdBefore: options['createdBefore'],
    lastUsedBefore: options['lastUsedBefore'],
    neverUsed: options['neverUsed'],
    expiresBefore: options['expiresBefore'],
    allowsAddress: options['allowsAddress'],
  };
}
