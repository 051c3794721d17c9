import { Anchor, Group, List, Stack, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { administers, useMe } from '../api/me';
import { Card } from '../parts/card';
import { inParts, NextPart } from '../parts/next-part';
import { Loaded } from '../parts/states';
import { StatusBadge } from '../parts/status-badge';
import { ISSUED_BY, type Token } from './queries';

/** The tokens that this one has issued. */
export function TokenIssued({ token: { tokenId } }: { token: Token }) {
  const { t } = useTranslation('token');
  const query = useInfiniteQuery(ISSUED_BY(tokenId));
  const mayList = administers(useMe());
  return (
    <Card title={t('issued.title')}>
      <Loaded query={inParts(query)}>
        {({ pages }) => {
          const issued = pages.flatMap(({ items }) => items);
          if (issued.length === 0) return <Text>{t('issued.none')}</Text>;
          return (
            <Stack gap="xs">
              <List listStyleType="none" spacing="xs">
                {issued.map((one) => (
                  <List.Item key={one.tokenId}>
                    <Group gap="xs">
                      <Anchor component={Link} href={`/token/${one.tokenId}`} className="anywhere">
                        {one.name}
                      </Anchor>
                      <StatusBadge status={one.status} />
                    </Group>
                  </List.Item>
                ))}
              </List>
              <NextPart list={query} />
              {mayList && (
                <Anchor component={Link} href={`/inventory?createdBy=${tokenId}`} size="sm">
                  {t('issued.all')}
                </Anchor>
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Card>
  );
}
