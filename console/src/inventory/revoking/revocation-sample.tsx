import { ScrollArea, Stack, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { DialectBadge } from '../../dialects/dialect-words';
import type { Token } from '../queries';

/** How many tokens would end, and some of them. */
export function RevocationSample({ count, sample }: { count: number; sample: readonly Token[] }) {
  const { t, i18n } = useTranslation('inventory');
  const number = (value: number): string => new Intl.NumberFormat(i18n.language).format(value);
  if (count === 0) return <Text fw={600}>{t('revoke.none')}</Text>;
  const rest = count - sample.length;
  return (
    <Stack gap="xs">
      <Text fw={600}>{t('revoke.count', { count, number: number(count) })}</Text>
      <ScrollArea.Autosize
        mah={200}
        className="bordered"
        viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': t('revoke.sample') }}
      >
        <Table aria-label={t('revoke.sample')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t('columns.name')}</Table.Th>
              <Table.Th scope="col">{t('columns.dialect')}</Table.Th>
              <Table.Th scope="col">{t('columns.owner')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sample.map(({ tokenId, name, dialect, owner }) => (
              <Table.Tr key={tokenId}>
                <Table.Td className="anywhere">{name}</Table.Td>
                <Table.Td>
                  <DialectBadge dialect={dialect} />
                </Table.Td>
                <Table.Td className="anywhere">{owner.login}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      {rest > 0 && <Text size="sm">{t('revoke.rest', { count: rest, number: number(rest) })}</Text>}
    </Stack>
  );
}
