import { Stack, Title } from '@mantine/core';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { AuditEvent } from './audit-queries';
import { TrailEvent } from './trail-event';

/** Events, newest first, under the days on which they happened here. */
export function Trail({ events }: { events: readonly AuditEvent[] }) {
  return (
    <Stack gap="lg">
      {daysOf(events).map(({ day, events: ofDay }) => (
        <Day key={day} events={ofDay} />
      ))}
    </Stack>
  );
}

function Day({ events }: { events: AuditEvent[] }) {
  const { i18n } = useTranslation();
  const heading = useId();
  const date = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'full' });
  return (
    <section aria-labelledby={heading}>
      <Title order={2} size="h5" id={heading} mb="xs">
        {date.format(Date.parse(events[0]?.time ?? ''))}
      </Title>
      <Stack component="ul" className="plain-list" gap={0}>
        {events.map((event) => (
          <TrailEvent key={event.id} event={event} />
        ))}
      </Stack>
    </section>
  );
}

function daysOf(events: readonly AuditEvent[]): { day: string; events: AuditEvent[] }[] {
  const days: { day: string; events: AuditEvent[] }[] = [];
  for (const event of events) {
    const day = new Date(event.time).toDateString();
    const last = days.at(-1);
    if (last?.day === day) last.events.push(event);
    else days.push({ day, events: [event] });
  }
  return days;
}
