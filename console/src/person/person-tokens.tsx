import { Anchor, NativeSelect, Stack, Table } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Schemas } from '../api/client';
import { Card } from '../parts/card';
import { DialectBadge } from '../dialects/dialect-words';
import { Moment } from '../parts/moment';
import { inParts, NextPart } from '../parts/next-part';
import { Empty, Loaded } from '../parts/states';
import { StatusBadge } from '../parts/status-badge';
import { TOKENS_OF, type User } from './queries';

type Status = Schemas['Token']['status'];

const STATUSES: Status[] = ['active', 'inactive', 'expired', 'revoked'];

/** Every token of a person, each with the way to its page. */
export function PersonTokens({ user }: { user: User }) {
  const { t } = useTranslation('person');
  const [status, setStatus] = useState<Status>();
  const query = useInfiniteQuery(TOKENS_OF(user.id, status));
  const choices = STATUSES.map((one) => ({ value: one as string, label: t(`shell:statuses.${one}`) }));
  return (
    <Card
      title={t('tokens.title')}
      actions={
        <NativeSelect
          aria-label={t('tokens.status')}
          data={[{ value: '', label: t('tokens.every') }, ...choices]}
          value={status ?? ''}
          onChange={(event) => {
            const { value } = event.currentTarget;
            setStatus(STATUSES.find((one) => one === value));
          }}
        />
      }
    >
      <Loaded query={inParts(query)}>
        {({ pages }) => {
          const tokens = pages.flatMap(({ items }) => items);
          if (tokens.length === 0) return <Empty>{t('tokens.empty')}</Empty>;
          return (
            <Stack>
              <TokenTable tokens={tokens} />
              <NextPart list={query} />
            </Stack>
          );
        }}
      </Loaded>
    </Card>
  );
}

function TokenTable({ tokens }: { tokens: readonly Schemas['Token'][] }) {
  const { t } = useTranslation('person');
  return (
    <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table aria-label={t('tokens.title')} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {(['name', 'dialect', 'status', 'expires', 'lastUsed'] as const).map((column) => (
              <Table.Th scope="col" key={column}>
                {t(`tokens.${column === 'status' ? 'statusColumn' : column}`)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tokens.map((token) => (
            <Table.Tr key={token.tokenId}>
              <Table.Td>
                <Anchor component={Link} href={`/token/${token.tokenId}`} className="anywhere">
                  {token.name}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <DialectBadge dialect={token.dialect} />
              </Table.Td>
              <Table.Td>
                <StatusBadge status={token.status} />
              </Table.Td>
              <Table.Td>
                <Moment at={token.expiresAt} none={t('tokens.never')} />
              </Table.Td>
              <Table.Td>
                <Moment at={token.lastUsedAt} none={t('tokens.neverUsed')} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
