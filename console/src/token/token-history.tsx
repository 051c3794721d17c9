import { Stack } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { EventList } from '../events/event-list';
import { Card } from '../parts/card';
import { inParts, NextPart } from '../parts/next-part';
import { Empty, Loaded } from '../parts/states';
import { type Token, TOKEN_EVENTS } from './queries';

/** What happened to a token, newest first. */
export function TokenHistory({ token: { tokenId, owner } }: { token: Token }) {
  const { t } = useTranslation('token');
  const query = useInfiniteQuery(TOKEN_EVENTS(tokenId));
  return (
    <Card title={t('history.title')}>
      <Loaded query={inParts(query)}>
        {({ pages }) => {
          const events = pages.flatMap(({ items }) => items);
          if (events.length === 0) return <Empty>{t('history.empty')}</Empty>;
          return (
            <Stack>
              <EventList events={events} thisToken={tokenId} known={owner} />
              <NextPart list={query} />
            </Stack>
          );
        }}
      </Loaded>
    </Card>
  );
}
