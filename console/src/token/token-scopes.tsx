import { List, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useScopeWords } from '../dialects/dialect-words';
import { Card } from '../parts/card';
import type { Token } from './queries';

/** What a token may do: in words, and as its system names it. */
export function TokenScopes({ token }: { token: Token }) {
  const { t } = useTranslation('token');
  const { words } = useScopeWords();
  return (
    <Card title={t('scopes.title')}>
      {token.scopes.length === 0 ? (
        <Text>{t('scopes.none')}</Text>
      ) : (
        <List spacing="xs" listStyleType="none" withPadding={false}>
          {token.scopes.map((scope) => (
            <List.Item key={scope}>
              {words(scope) !== scope && <Text>{words(scope)}</Text>}
              <Text size="sm" c="dimmed" className="mono">
                {scope}
              </Text>
            </List.Item>
          ))}
        </List>
      )}
    </Card>
  );
}
