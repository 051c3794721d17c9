import { Button, Group, Modal, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { Problem } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { type ChannelDraft, ChannelFields } from './channel-fields';
import { type Channel, CHANNEL } from './channel-queries';

/** Changes where a channel leads to, and what it is told of. */
export function EditChannel({
  channel,
  isOpen,
  onClose,
}: {
  channel: Channel;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation('channels');
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('edit')}
      size="lg"
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {isOpen && <EditChannelForm channel={channel} onClose={onClose} />}
    </Modal>
  );
}

function EditChannelForm({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const { id, kind, url, to } = channel;
  const [draft, setDraft] = useState<ChannelDraft>({ target: url ?? to ?? '', events: channel.events });
  const change = useMutation({
    mutationFn: () => {
      const { target, events } = draft;
      const body = { events, ...(kind === 'webhook' ? { url: target.trim() } : { to: target.trim() }) };
      return answerOf(client.PATCH('/patois/v1/notice-channels/{id}', { params: { path: { id } }, body }));
    },
    onSuccess: (changed) => {
      queries.setQueryData(CHANNEL(id).queryKey, changed);
      void queries.invalidateQueries({ queryKey: ['channels'] });
      notifyDone(t('changed'));
      onClose();
    },
  });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <ChannelFields kind={kind} draft={draft} onDraft={setDraft} error={change.error} />
        {change.error && <Problem error={change.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" loading={change.isPending} disabled={draft.events.length === 0}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
