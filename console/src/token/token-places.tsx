import { List, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import { UserAgent } from '../parts/user-agent';
import type { Token } from './queries';

/** From where a token works. */
export function TokenPlaces({ token: { allowedCidrs } }: { token: Token }) {
  const { t } = useTranslation('token');
  return (
    <Card title={t('places.title')}>
      {allowedCidrs.length === 0 ? (
        <Text>{t('places.anywhere')}</Text>
      ) : (
        <List listStyleType="none">
          {allowedCidrs.map((block) => (
            <List.Item key={block}>
              <span className="mono">{block}</span>
            </List.Item>
          ))}
        </List>
      )}
    </Card>
  );
}

/** When and from where a token was used for the last time. */
export function TokenUse({ token }: { token: Token }) {
  const { t } = useTranslation('token');
  return (
    <Card title={t('use.title')}>
      {token.lastUsedAt === null ? (
        <Text>{t('use.never')}</Text>
      ) : (
        <Facts>
          <Fact name={t('use.when')}>
            <Moment at={token.lastUsedAt} />
          </Fact>
          <Fact name={t('use.address')}>
            {token.lastUsedAddress === null ? '—' : <span className="mono">{token.lastUsedAddress}</span>}
          </Fact>
          <Fact name={t('use.program')}>
            {token.lastUsedUserAgent === null ? '—' : <UserAgent value={token.lastUsedUserAgent} />}
          </Fact>
        </Facts>
      )}
    </Card>
  );
}
