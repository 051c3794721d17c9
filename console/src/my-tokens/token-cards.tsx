import { Group, Paper, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { DialectBadge } from '../dialects/dialect-words';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import type { Token } from './queries';
import { LastUse, ScopeSummary, StatusBadge } from './token-cells';
import { type OnAction, TokenMenu } from './token-menu';
import { TokenName } from './token-table';

/** My tokens on a narrow screen, a card each. */
export function TokenCards({ tokens, onAction }: { tokens: Token[]; onAction: OnAction }) {
  const { t } = useTranslation('my-tokens');
  return (
    <ul className="plain-list" aria-label={t('title')}>
      {tokens.map((token) => (
        <Paper key={token.tokenId} component="li" withBorder p="sm" mb="sm">
          <Stack gap="xs">
            <Group justify="space-between" wrap="nowrap" align="flex-start">
              <div>
                <TokenName token={token} />
              </div>
              <TokenMenu token={token} onAction={onAction} />
            </Group>
            <Group gap="xs">
              <DialectBadge dialect={token.dialect} />
              <StatusBadge status={token.status} />
            </Group>
            <Facts>
              <Fact name={t('list.scopes')}>
                <ScopeSummary scopes={token.scopes} />
              </Fact>
              <Fact name={t('list.expires')}>
                <Moment at={token.expiresAt} none={t('list.never')} />
              </Fact>
              <Fact name={t('list.lastUsed')}>
                <LastUse token={token} />
              </Fact>
            </Facts>
          </Stack>
        </Paper>
      ))}
    </ul>
  );
}
