import { Badge, Group, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useDialectTitle } from '../dialects/dialect-words';
import type { TokenOwner } from './people-queries';

/** How many live tokens somebody has in each API. */
export function TokenCounts({
  owner,
  isQuiet = false,
}: {
  owner: TokenOwner | undefined;
  isQuiet?: boolean;
}) {
  const { t } = useTranslation(['people', 'dialects']);
  const title = useDialectTitle();
  if (!owner) {
    return isQuiet ? null : (
      <Text span inherit c="dimmed">
        {t('noTokens')}
      </Text>
    );
  }
  return (
    <Group gap={4} component="span" display="inline-flex">
      {Object.entries(owner.tokens.byDialect).map(([dialect, count]) => (
        <Badge key={dialect} variant="default" tt="none" fw={500} miw="fit-content">
          {title(dialect)} {count}
        </Badge>
      ))}
    </Group>
  );
}
