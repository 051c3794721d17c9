import { Button, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconPlayerStop } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { ConfirmDialog } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { JOB, type Job } from './job-queries';

/** Ends a job before it is through, once it is certain that somebody means it. */
export function StopJob({ job: { id } }: { job: Job }) {
  const { t } = useTranslation('jobs');
  const queries = useQueryClient();
  const [isOpen, { open, close }] = useDisclosure();
  const stop = useMutation({
    mutationFn: () => answerOf(client.POST('/patois/v1/jobs/{id}/cancel', { params: { path: { id } } })),
    onSuccess: (job) => {
      queries.setQueryData(JOB(id).queryKey, job);
      void queries.invalidateQueries({ queryKey: ['jobs', 'list'] });
      close();
      notifyDone(t('stop.done'));
    },
    // It may have ended by itself meanwhile.
    onError: () => void queries.invalidateQueries({ queryKey: JOB(id).queryKey }),
  });
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPlayerStop size={16} aria-hidden />}
        onClick={() => {
          stop.reset();
          open();
        }}
      >
        {t('stop.action')}
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        title={t('stop.title')}
        action={t('stop.action')}
        isBusy={stop.isPending}
        error={stop.error}
        onConfirm={() => stop.mutate()}
        onClose={close}
      >
        <Text size="sm">{t('stop.text')}</Text>
      </ConfirmDialog>
    </>
  );
}
