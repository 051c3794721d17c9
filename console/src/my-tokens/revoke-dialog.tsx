import { Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { useDialectTitle } from '../dialects/dialect-words';
import { ConfirmDialog } from '../parts/confirm-dialog';
import { Moment } from '../parts/moment';
import { notifyDone } from '../parts/notify';
import type { Token } from './queries';

const MAX_REASON = 1000;

/** Asks before a token is revoked, which is for good. */
export function RevokeDialog({
  token,
  isOpen,
  onClose,
}: {
  token: Token;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation('my-tokens');
  const title = useDialectTitle();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const { tokenId, name, dialect, lastUsedAt } = token;
  const close = (): void => {
    revoke.reset();
    setReason('');
    onClose();
  };
  const revoke = useMutation({
    mutationFn: () => {
      const query = reason.trim() === '' ? {} : { reason: reason.trim() };
      return answerOf(client.DELETE('/patois/v1/tokens/{tokenId}', { params: { path: { tokenId }, query } }));
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['tokens'] });
      notifyDone(t('revoke.done', { name }));
      close();
    },
  });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      title={t('revoke.title', { name })}
      action={t('revoke.action')}
      isBusy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={close}
    >
      <Text>{t('revoke.text', { dialect: title(dialect) })}</Text>
      <Text size="sm">
        {t('list.lastUsed')}: <Moment at={lastUsedAt} none={t('list.neverUsed')} />
      </Text>
      <TextInput
        label={t('revoke.reason')}
        description={t('revoke.reasonHint')}
        value={reason}
        maxLength={MAX_REASON}
        onChange={(event) => setReason(event.currentTarget.value)}
        autoComplete="off"
        data-autofocus
      />
    </ConfirmDialog>
  );
}
