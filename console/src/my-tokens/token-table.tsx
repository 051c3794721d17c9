import { Anchor, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { DialectBadge } from '../dialects/dialect-words';
import { Moment } from '../parts/moment';
import type { Token } from './queries';
import { LastUse, ScopeSummary, StatusBadge } from './token-cells';
import { type OnAction, TokenMenu } from './token-menu';

/** My tokens where there is room. */
export function TokenTable({ tokens, onAction }: { tokens: Token[]; onAction: OnAction }) {
  const { t } = useTranslation('my-tokens');
  return (
    <Table verticalSpacing="sm" aria-label={t('title')}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{t('list.name')}</Table.Th>
          <Table.Th scope="col">{t('list.dialect')}</Table.Th>
          <Table.Th scope="col">{t('list.scopes')}</Table.Th>
          <Table.Th scope="col">{t('list.expires')}</Table.Th>
          <Table.Th scope="col">{t('list.lastUsed')}</Table.Th>
          <Table.Th scope="col">{t('list.status')}</Table.Th>
          <Table.Th scope="col">{t('list.actions')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {tokens.map((token) => (
          <Table.Tr key={token.tokenId}>
            <Table.Th scope="row" fw="normal" maw={260}>
              <TokenName token={token} />
            </Table.Th>
            <Table.Td>
              <DialectBadge dialect={token.dialect} />
            </Table.Td>
            <Table.Td maw={240}>
              <ScopeSummary scopes={token.scopes} />
            </Table.Td>
            <Table.Td>
              <Moment at={token.expiresAt} none={t('list.never')} />
            </Table.Td>
            <Table.Td>
              <LastUse token={token} />
            </Table.Td>
            <Table.Td>
              <StatusBadge status={token.status} />
            </Table.Td>
            <Table.Td>
              <TokenMenu token={token} onAction={onAction} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

export function TokenName({ token: { tokenId, name, description } }: { token: Token }) {
  return (
    <>
      <Anchor component={Link} href={`/token/${tokenId}`} fw={600} className="anywhere">
        {name}
      </Anchor>
      {description && (
        <Text size="sm" lineClamp={1} className="anywhere">
          {description}
        </Text>
      )}
    </>
  );
}
