import { Button, Collapse, Group, Stack, Text, Timeline } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Moment } from '../parts/moment';
import { UserAgent } from '../parts/user-agent';
import type { KnownPerson } from './actor';
import { changesOf, EventChange } from './event-change';
import { type AuditEvent, EventSentence } from './event-sentence';
import { EventIcon } from './event-icon';

/** What happened, newest first, each in a sentence; the exact change on demand. */
export function EventList({
  events,
  thisToken,
  known,
}: {
  events: readonly AuditEvent[];
  thisToken?: string;
  known?: KnownPerson | undefined;
}) {
  return (
    <Timeline bulletSize={26} lineWidth={2} role="list">
      {events.map((event) => (
        <Timeline.Item key={event.id} role="listitem" mt="md" bullet={<EventIcon action={event.action} />}>
          <OneEvent event={event} thisToken={thisToken} known={known} />
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

function OneEvent({
  event,
  thisToken,
  known,
}: {
  event: AuditEvent;
  thisToken: string | undefined;
  known: KnownPerson | undefined;
}) {
  const { t } = useTranslation('events');
  const [isOpen, { toggle }] = useDisclosure();
  const details = useId();
  const hasChange = changesOf(event).length > 0;
  return (
    <Stack gap={2} miw={0}>
      <Text component="div">
        <EventSentence event={event} thisToken={thisToken} known={known} />
      </Text>
      <Group gap="xs" c="dimmed" fz="sm">
        <Moment at={event.time} />
        {event.address !== null && <span>{t('from', { address: event.address })}</span>}
        {event.userAgent !== null && <UserAgent value={event.userAgent} />}
        {hasChange && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            c="var(--mantine-color-text)"
            onClick={toggle}
            aria-expanded={isOpen}
            aria-controls={details}
            rightSection={
              isOpen ? <IconChevronUp size={14} aria-hidden /> : <IconChevronDown size={14} aria-hidden />
            }
          >
            {t('change.show')}
          </Button>
        )}
      </Group>
      <Collapse expanded={isOpen} id={details}>
        {isOpen && <EventChange event={event} />}
      </Collapse>
    </Stack>
  );
}
