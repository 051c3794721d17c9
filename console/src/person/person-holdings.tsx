import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { DialectBadge } from '../dialects/dialect-words';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import { Loaded } from '../parts/states';
import { HOLDINGS, type User } from './queries';

/** What somebody holds in every system, in numbers. */
export function PersonHoldings({ user }: { user: User }) {
  const { t } = useTranslation('person');
  const query = useQuery(HOLDINGS(user.id));
  return (
    <Card title={t('holdings.title')}>
      <Loaded query={query}>
        {(holdings) =>
          holdings === null ? (
            <Text>{t('holdings.none')}</Text>
          ) : (
            <>
              <DialectCounts counts={holdings.tokens.byDialect} label={t('holdings.title')} />
              <Facts>
                <Fact name={t('holdings.lastUsed')}>
                  <Moment at={holdings.lastUsedAt} none={t('holdings.neverUsed')} />
                </Fact>
                {holdings.mostPowerfulScope !== null && (
                  <Fact name={t('holdings.mostPowerful')}>
                    <span className="mono">{holdings.mostPowerfulScope.scope}</span>{' '}
                    <DialectBadge dialect={holdings.mostPowerfulScope.dialect} />
                  </Fact>
                )}
              </Facts>
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

/** How many tokens there are of each system, and together. */
export function DialectCounts({ counts, label }: { counts: Record<string, number>; label: string }) {
  const { t } = useTranslation('person');
  const rows = Object.entries(counts).sort(([one], [other]) => one.localeCompare(other));
  const total = rows.reduce((sum, [, count]) => sum + count, 0);
  return (
    <Table aria-label={label} verticalSpacing={6}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{t('holdings.dialect')}</Table.Th>
          <Table.Th scope="col" ta="right">
            {t('holdings.count')}
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(([dialect, count]) => (
          <Table.Tr key={dialect}>
            <Table.Td>
              <DialectBadge dialect={dialect} />
            </Table.Td>
            <Table.Td ta="right">{count}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
      <Table.Tfoot>
        <Table.Tr>
          <Table.Th scope="row">{t('holdings.total')}</Table.Th>
          <Table.Th ta="right">{total}</Table.Th>
        </Table.Tr>
      </Table.Tfoot>
    </Table>
  );
}
