import { List, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import type { Token } from './queries';

/** What a token may do, in the words of its system. */
export function TokenScopes({ token }: { token: Token }) {
  const { t } = useTranslation('token');
  return (
    <Card title={t('scopes.title')}>
      {token.scopes.length === 0 ? (
        <Text>{t('scopes.none')}</Text>
      ) : (
        <List spacing={4} listStyleType="none" withPadding={false}>
          {token.scopes.map((scope) => (
            <List.Item key={scope}>
              <span className="mono">{scope}</span>
            </List.Item>
          ))}
        </List>
      )}
    </Card>
  );
}
