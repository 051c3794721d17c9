import { Button, Group, Modal, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { answerOf, client } from '../api/client';
import { administersAll, useMe } from '../api/me';
import { allPlaces } from '../api/places';
import { Problem } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { type ChannelDraft, ChannelFields } from './channel-fields';
import type { Channel } from './channel-queries';
import { ShownSecret } from './shown-secret';

/** Makes a channel; of a webhook it goes on to show the secret, which nobody is shown again. */
export function NewChannel({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation('channels');
  const [made, setMade] = useState<{ id: string; secret: string }>();
  const [, go] = useLocation();
  const leave = (id: string): void => {
    setMade(undefined);
    onClose();
    go(`/channels/${id}`);
  };
  const close = (): void => {
    if (!made) onClose();
  };
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={t(made ? 'secret.title' : 'add')}
      size="lg"
      // A secret is not lost by a click beside it.
      withCloseButton={!made}
      closeOnClickOutside={false}
      closeOnEscape={!made}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {made ? (
        <ShownSecret secret={made.secret} onDone={() => leave(made.id)} />
      ) : (
        <NewChannelForm
          onClose={onClose}
          onMade={({ id, secret }) => (secret === null ? leave(id) : setMade({ id, secret }))}
        />
      )}
    </Modal>
  );
}

function NewChannelForm({
  onMade,
  onClose,
}: {
  onMade: (made: { id: string; secret: string | null }) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const isForAll = administersAll(useMe());
  const [kind, setKind] = useState<Channel['kind']>('webhook');
  const [organization, setOrganization] = useState<string | null>(null);
  const [draft, setDraft] = useState<ChannelDraft>({ target: '', events: [] });
  const kindLabel = useId();
  const make = useMutation({
    mutationFn: () => {
      const { target, events } = draft;
      const body = {
        kind,
        events,
        ...(kind === 'webhook' ? { url: target.trim() } : { to: target.trim() }),
        ...(isForAll && { organization }),
      };
      return answerOf(client.POST('/patois/v1/notice-channels', { body }));
    },
    // The answer holds the secret.
    gcTime: 0,
    onSuccess: (channel) => {
      void queries.invalidateQueries({ queryKey: ['channels'] });
      notifyDone(t('made'));
      onMade(channel);
    },
  });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <Stack gap={4}>
          <Text size="sm" fw={500} id={kindLabel}>
            {t('kind')}
          </Text>
          <SegmentedControl
            aria-labelledby={kindLabel}
            value={kind}
            onChange={setKind}
            data={(['webhook', 'mail'] as const).map((value) => ({ value, label: t(`kinds.${value}`) }))}
          />
        </Stack>
        {isForAll && <OrganizationChoice value={organization} onChange={setOrganization} />}
        <ChannelFields kind={kind} draft={draft} onDraft={setDraft} error={make.error} />
        {make.error && <Problem error={make.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" loading={make.isPending} disabled={draft.events.length === 0}>
            {t('make')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function OrganizationChoice({
  value,
  onChange,
}: {
  value: string | null;
  onChange: (organization: string | null) => void;
}) {
  const { t } = useTranslation('channels');
  const organizations = useQuery(allPlaces('organizations'));
  return (
    <Select
      label={t('organization')}
      description={t('organizationHint')}
      placeholder={t('everyOrganization')}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('clearOrganization') }}
      data={(organizations.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      value={value}
      onChange={onChange}
      error={organizations.error ? t('organizationsFailed') : undefined}
    />
  );
}
