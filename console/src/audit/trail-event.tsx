import { ActionIcon, Anchor, Box, Collapse, Group, Stack, Text, ThemeIcon } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { EventChange } from '../events/event-change';
import { EventIcon } from '../events/event-icon';
import { EventSentence } from '../events/event-sentence';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import type { AuditEvent, AuditFilterName } from './audit-queries';
import { useActionName } from './event-words';

/** What went wrong, or might: shown by the colour as well, after the sign and the sentence. */
const WARNING = /(refuse|reuse|leak|fail|block|disable)$/;

/** One event in a sentence; everything else that is known of it on demand. */
export function TrailEvent({ event }: { event: AuditEvent }) {
  const { t } = useTranslation('audit');
  const [isOpen, { toggle }] = useDisclosure();
  const details = useId();
  const sentence = useId();
  return (
    <Box component="li" py="xs" style={LINE}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <ThemeIcon
          variant="light"
          color={WARNING.test(event.action) ? 'orange' : 'gray'}
          size={28}
          radius="xl"
        >
          <EventIcon action={event.action} />
        </ThemeIcon>
        <Stack gap={2} miw={0} flex={1}>
          <Text component="div" id={sentence} className="anywhere">
            <EventSentence event={event} />
          </Text>
          <Group gap="xs" c="dimmed" fz="sm">
            <TimeOfDay at={event.time} />
            <Moment at={event.time} />
            {event.address !== null && <span className="mono">{event.address}</span>}
          </Group>
        </Stack>
        <ActionIcon
          variant="default"
          onClick={toggle}
          aria-label={t('event.details')}
          aria-describedby={sentence}
          aria-expanded={isOpen}
          aria-controls={details}
        >
          {isOpen ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
        </ActionIcon>
      </Group>
      <Collapse expanded={isOpen} id={details}>
        {isOpen && <Details event={event} />}
      </Collapse>
    </Box>
  );
}

/** The day stands above. */
function TimeOfDay({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: 'medium' });
  return (
    <time dateTime={at} className="nowrap">
      {time.format(Date.parse(at))}
    </time>
  );
}

const LINE = { borderBottom: '1px solid var(--mantine-color-default-border)' };

function Details({ event }: { event: AuditEvent }) {
  const { t } = useTranslation('audit');
  const nameOf = useActionName();
  return (
    <Stack gap="sm" pt="sm" pl={{ base: 0, xs: 40 }}>
      <EventChange event={event} />
      <Facts>
        <Narrowing
          name={t('filters.action.name')}
          filter="action"
          value={event.action}
          shown={nameOf(event.action)}
        />
        {event.alias !== undefined && (
          <Narrowing name={t('event.alias')} filter="action" value={event.alias} />
        )}
        <Narrowing name={t('filters.actor.name')} filter="actor" value={event.actor.id} />
        <Narrowing name={t('filters.object.name')} filter="object" value={event.object.id} />
        <Narrowing name={t('filters.address.name')} filter="address" value={event.address} />
        <Narrowing name={t('filters.requestId.name')} filter="requestId" value={event.requestId} />
        <Plain name={t('event.userAgent')}>{event.userAgent}</Plain>
        <Plain name={t('event.id')}>{event.id}</Plain>
      </Facts>
    </Stack>
  );
}

/** A detail, and the way to all events that have it in common. */
function Narrowing({
  name,
  filter,
  value,
  shown = value,
}: {
  name: string;
  filter: AuditFilterName;
  value: string | null;
  /** In words, where there are some. */
  shown?: string | null;
}) {
  const { t } = useTranslation('audit');
  if (value === null) return null;
  return (
    <Fact name={name}>
      <Group gap="xs">
        <span className={shown === value ? 'mono' : undefined}>{shown}</span>
        <Anchor
          component={Link}
          href={`/audit?${new URLSearchParams({ [filter]: value })}`}
          size="sm"
          aria-label={`${t('event.all')}: ${name} ${shown}`}
        >
          {t('event.all')}
        </Anchor>
      </Group>
    </Fact>
  );
}

function Plain({ name, children }: { name: string; children: ReactNode }) {
  if (children === null) return null;
  return (
    <Fact name={name}>
      <span className="mono">{children}</span>
    </Fact>
  );
}
