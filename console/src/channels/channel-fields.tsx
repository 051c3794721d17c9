import { Button, Checkbox, Group, Stack, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api/problem';
import { type Channel, CHANNEL_EVENTS, type ChannelEvent } from './channel-queries';

/** What can be said of a channel at any time. */
export interface ChannelDraft {
  target: string;
  events: ChannelEvent[];
}

/** Where a channel leads to, and what it is told of. */
export function ChannelFields({
  kind,
  draft,
  onDraft,
  error,
}: {
  kind: Channel['kind'];
  draft: ChannelDraft;
  onDraft: (draft: ChannelDraft) => void;
  error: unknown;
}) {
  const { t } = useTranslation('channels');
  const errorOf = (pointer: string): string | undefined =>
    error instanceof ApiProblem ? error.errorOf(pointer) : undefined;
  const isWebhook = kind === 'webhook';
  return (
    <>
      <TextInput
        label={t(isWebhook ? 'url' : 'to')}
        description={t(isWebhook ? 'urlHint' : 'toHint')}
        placeholder={isWebhook ? 'https://hooks.example.com/patois' : 'security@example.com'}
        type={isWebhook ? 'url' : 'email'}
        required
        maxLength={2_000}
        value={draft.target}
        onChange={(event) => onDraft({ ...draft, target: event.currentTarget.value })}
        error={errorOf(isWebhook ? '/url' : '/to')}
        autoComplete="off"
        data-autofocus
      />
      <EventChoice draft={draft} onDraft={onDraft} error={errorOf('/events')} />
    </>
  );
}

function EventChoice({
  draft,
  onDraft,
  error,
}: {
  draft: ChannelDraft;
  onDraft: (draft: ChannelDraft) => void;
  error: string | undefined;
}) {
  const { t } = useTranslation('channels');
  const isAll = draft.events.length === CHANNEL_EVENTS.length;
  return (
    <Checkbox.Group
      label={t('toldOf')}
      withAsterisk
      value={draft.events}
      onChange={(events) =>
        onDraft({ ...draft, events: CHANNEL_EVENTS.filter((event) => events.includes(event)) })
      }
      error={error}
    >
      <Stack gap="xs" mt="xs">
        {CHANNEL_EVENTS.map((event) => (
          <Checkbox
            key={event}
            value={event}
            label={t(`events.${event}.name`)}
            description={t(`events.${event}.text`)}
          />
        ))}
        <Group>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => onDraft({ ...draft, events: isAll ? [] : [...CHANNEL_EVENTS] })}
          >
            {t(isAll ? 'noEvents' : 'allEvents')}
          </Button>
        </Group>
      </Stack>
    </Checkbox.Group>
  );
}
