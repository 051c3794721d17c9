import { Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { ConfirmDialog } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { forgetPeople, type Person, tokensOf } from './people-queries';
import { TokenCounts } from './token-counts';

/** Asks before somebody is disabled, enabled or deleted, and says what that means for the tokens. */
export function PersonConfirmation({
  person,
  action,
  isOpen,
  onClose,
}: {
  person: Person | undefined;
  action: 'disable' | 'enable' | 'delete';
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation('people');
  const { id, login } = person ?? { id: '', login: '' };
  const owners = useQuery({ ...tokensOf([id]), enabled: isOpen });
  const doIt = useMutation({
    mutationFn: () => {
      const params = { path: { user: id } };
      if (action === 'delete') return answerOf(client.DELETE('/patois/v1/users/{user}', { params }));
      const body = { disabled: action === 'disable' };
      return answerOf(client.PATCH('/patois/v1/users/{user}', { params, body })).then(() => undefined);
    },
    onSuccess: () => {
      notifyDone(t(`${action}.done`, { login }));
      void forgetPeople();
      onClose();
    },
  });
  const owner = owners.data?.get(id);
  return (
    <ConfirmDialog
      isOpen={isOpen}
      title={t(`${action}.title`, { login })}
      action={t(`${action}.submit`)}
      {...(action === 'delete' ? { typed: login } : {})}
      isBusy={doIt.isPending}
      error={doIt.error}
      onConfirm={() => doIt.mutate()}
      onClose={onClose}
    >
      <Text>{t(`${action}.what`, { login })}</Text>
      {owners.data && (
        <Text component="div">
          {t(`${action}.tokens`, { count: owner?.tokens.total ?? 0 })} <TokenCounts owner={owner} isQuiet />
        </Text>
      )}
    </ConfirmDialog>
  );
}
