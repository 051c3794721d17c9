import { SegmentedControl, Stack } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { EventList } from '../events/event-list';
import { Card } from '../parts/card';
import { inParts, NextPart } from '../parts/next-part';
import { Empty, Loaded } from '../parts/states';
import { ACTIVITY, type ActivityKind, type User } from './queries';

/** The trail of a person: what they did, and what happened to what is theirs. For who administers everything. */
export function PersonActivity({ user }: { user: User }) {
  const { t } = useTranslation('person');
  const [kind, setKind] = useState<ActivityKind>('owner');
  const query = useInfiniteQuery(ACTIVITY(user.id, kind));
  return (
    <Card
      title={t('activity.title')}
      actions={
        <SegmentedControl
          aria-label={t('activity.title')}
          value={kind}
          onChange={(chosen) => setKind(chosen === 'actor' ? 'actor' : 'owner')}
          data={[
            { value: 'owner', label: t('activity.owner') },
            { value: 'actor', label: t('activity.actor') },
          ]}
        />
      }
    >
      <Loaded query={inParts(query)}>
        {({ pages }) => {
          const events = pages.flatMap(({ items }) => items);
          if (events.length === 0) return <Empty>{t('activity.empty')}</Empty>;
          return (
            <Stack>
              <EventList events={events} known={user} />
              <NextPart list={query} />
            </Stack>
          );
        }}
      </Loaded>
    </Card>
  );
}
