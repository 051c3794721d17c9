import { Button, Menu, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import {
  IconChevronDown,
  IconEdit,
  IconKey,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { answerOf, client } from '../api/client';
import { ConfirmDialog } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { type Channel, CHANNEL } from './channel-queries';
import { EditChannel } from './edit-channel';
import { RotateSecret } from './rotate-secret';

type Open = 'edit' | 'rotate' | 'switch' | 'delete';

/** What can be done with a channel, each in a dialog of its own. */
export function ChannelActions({ channel }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const { id, enabled, kind } = channel;
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconEdit size={16} aria-hidden />}
        onClick={() => setOpen('edit')}
      >
        {t('edit')}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
            {t('further')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {kind === 'webhook' && (
            <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => setOpen('rotate')}>
              {t('rotate.action')}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={
              enabled ? <IconPlayerPause size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />
            }
            onClick={() => setOpen('switch')}
          >
            {t(enabled ? 'disable.action' : 'enable.action')}
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setOpen('delete')}>
            {t('delete.action')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <EditChannel channel={channel} isOpen={open === 'edit'} onClose={close} />
      <RotateSecret id={id} isOpen={open === 'rotate'} onClose={close} />
      <SwitchChannel channel={channel} isOpen={open === 'switch'} onClose={close} />
      <DeleteChannel channel={channel} isOpen={open === 'delete'} onClose={close} />
    </>
  );
}

interface DialogProps {
  channel: Channel;
  isOpen: boolean;
  onClose: () => void;
}

/** Off, which gives up what waits; or on again. */
function SwitchChannel({ channel: { id, enabled }, isOpen, onClose }: DialogProps) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const way = enabled ? 'disable' : 'enable';
  const change = useMutation({
    mutationFn: () =>
      answerOf(
        client.PATCH('/patois/v1/notice-channels/{id}', {
          params: { path: { id } },
          body: { enabled: !enabled },
        }),
      ),
    onSuccess: (changed) => {
      notifyDone(t(`${way}.done`));
      onClose();
      queries.setQueryData(CHANNEL(id).queryKey, changed);
      void queries.invalidateQueries({ queryKey: ['channels'] });
    },
  });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      title={t(`${way}.title`)}
      action={t(`${way}.action`)}
      isBusy={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <Text size="sm">{t(`${way}.text`)}</Text>
    </ConfirmDialog>
  );
}

function DeleteChannel({ channel: { id, url, to }, isOpen, onClose }: DialogProps) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const [, go] = useLocation();
  const remove = useMutation({
    mutationFn: () =>
      answerOf(client.DELETE('/patois/v1/notice-channels/{id}', { params: { path: { id } } })),
    onSuccess: () => {
      notifyDone(t('delete.done'));
      go('/channels');
      queries.removeQueries({ queryKey: CHANNEL(id).queryKey });
      void queries.invalidateQueries({ queryKey: ['channels', 'list'] });
    },
  });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      title={t('delete.title')}
      action={t('delete.action')}
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text size="sm" className="anywhere">
        {t('delete.text', { target: url ?? to })}
      </Text>
    </ConfirmDialog>
  );
}
