import { Stack, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** What the values of a claim stand for. */
export function ClaimMapping({
  claim,
  meanings,
  label,
  none,
  rule,
  wordOf,
}: {
  claim: string | null;
  meanings: Record<string, string> | null;
  label: string;
  /** What holds where there is no mapping. */
  none: string;
  rule: string;
  wordOf: (meaning: string) => string;
}) {
  const { t } = useTranslation('providers');
  if (claim === null || meanings === null) return <span>{none}</span>;
  return (
    <Stack gap={4}>
      <Table fz="sm" verticalSpacing={4} withTableBorder aria-label={label} maw={520}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">
              {t('claim')} <span className="mono">{claim}</span>
            </Table.Th>
            <Table.Th scope="col">{label}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {Object.entries(meanings).map(([value, meaning]) => (
            <Table.Tr key={value}>
              <Table.Td className="mono">{value}</Table.Td>
              <Table.Td className="anywhere">{wordOf(meaning)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm">{rule}</Text>
    </Stack>
  );
}
