import type { Command } from 'commander';
import type { TokenSummary } from '../../administration/tokens/token-summary.dto.js';
import { type Cli, examples } from '../command.js';
import type { Column } from '../output/table.js';
import { joined } from '../output/texts.js';
import type { OnWire, Query } from '../server/api.js';
import { tokenFilterOf, tokenFilterOptions } from './token-filter.js';

const PARTS: Column<OnWire<TokenSummary>>[] = [
  { title: 'tokens', text: ({ total }) => total },
  { title: 'by dialect', text: ({ byDialect }) => countsText(byDialect) },
  { title: 'active', text: ({ byStatus }) => byStatus.active },
  { title: 'inactive', text: ({ byStatus }) => byStatus.inactive },
  { title: 'expired', text: ({ byStatus }) => byStatus.expired },
  { title: 'revoked', text: ({ byStatus }) => byStatus.revoked },
  { title: 'expire within 7 days', text: ({ expiring }) => expiring.within7Days },
  { title: 'expire within 30 days', text: ({ expiring }) => expiring.within30Days },
  { title: 'expire within 90 days', text: ({ expiring }) => expiring.within90Days },
  { title: 'never used', text: ({ neverUsed }) => neverUsed },
  { title: 'unused for 90 days', text: ({ unusedFor90Days }) => unusedFor90Days },
  { title: 'without expiry', text: ({ withoutExpiry }) => withoutExpiry },
  { title: 'from anywhere', text: ({ withoutCidrs }) => withoutCidrs },
  { title: 'up to 30 days old', text: ({ byAge }) => byAge.upTo30Days },
  { title: 'up to 90 days old', text: ({ byAge }) => byAge.upTo90Days },
  { title: 'up to a year old', text: ({ byAge }) => byAge.upTo365Days },
  { title: 'older', text: ({ byAge }) => byAge.over365Days },
  { title: 'as of', text: ({ asOf }) => asOf },
];

/** `patois tokens summary`. */
export function addTokenSummary(tokens: Command, cli: Cli): void {
  const summary = tokens.command('summary').description('counts the tokens that you may see');
  tokenFilterOptions(
    examples(
      summary,
      'patois tokens summary',
      'patois tokens summary --organization Research --status active',
      "patois tokens summary --never-used --json | jq '.byAge'",
    ),
  ).action(async (options: Query, command: Command) => {
    const session = cli.session(command);
    const api = await session.api();
    await session.show(
      await api.get<TokenSummary>('/patois/v1/tokens/summary', tokenFilterOf(options)),
      PARTS,
    );
  });
}

/** Such as `patois 1, quay 2`. */
export function countsText(counts: Record<string, number>): string {
  return joined(Object.entries(counts).map(([name, count]) => `${name} ${count}`));
}
