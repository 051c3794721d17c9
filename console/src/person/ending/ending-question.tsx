import { List, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ConfirmForm } from '../../parts/confirm-dialog';
import { Loaded } from '../../parts/states';
import { DialectCounts } from '../person-holdings';
import type { User } from '../queries';
import { previewOf } from './steps';

/** What will end, exactly, and whether that is meant. */
export function EndingQuestion({
  user,
  onConfirm,
  onClose,
}: {
  user: User;
  onConfirm: (reason: string) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('person');
  const [reason, setReason] = useState(() => t('ending.defaultReason'));
  const preview = useQuery({
    queryKey: ['tokens', 'ending', user.id],
    queryFn: () => previewOf(user.id),
    // Counted afresh each time it is asked.
    gcTime: 0,
    staleTime: 0,
  });
  return (
    <ConfirmForm
      action={t('ending.confirm')}
      typed={user.login}
      isBusy={false}
      isBlocked={preview.data === undefined || reason.trim() === ''}
      error={null}
      onConfirm={() => onConfirm(reason.trim())}
      onClose={onClose}
    >
      <Loaded query={preview}>
        {({ toRevoke, working }) => {
          const count = Object.values(working).reduce((sum, one) => sum + one, 0);
          return (
            <>
              <Text fw={600}>{t('ending.working', { count })}</Text>
              {count > 0 && <DialectCounts counts={working} label={t('ending.workingLabel')} />}
              <List spacing={4}>
                <List.Item>{t(user.disabled ? 'ending.staysDisabled' : 'ending.disables')}</List.Item>
                <List.Item>{t('ending.sessions')}</List.Item>
                <List.Item>{t('ending.revokes', { count: toRevoke })}</List.Item>
              </List>
              <Text size="sm">{t('ending.cannotUndo')}</Text>
            </>
          );
        }}
      </Loaded>
      <TextInput
        label={t('ending.reason')}
        description={t('ending.reasonHint')}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={1000}
        required
      />
    </ConfirmForm>
  );
}
