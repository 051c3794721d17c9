import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconShieldSearch } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { isUnderWay, type Job } from '../jobs/job-queries';
import { JobResult } from '../jobs/job-result';
import { JobProgress } from '../jobs/job-state';
import { Problem } from '../parts/confirm-dialog';
import { Moment } from '../parts/moment';
import { Loaded } from '../parts/states';
import { LAST_VERIFICATION } from './audit-queries';

/** Has the trail verified, and says how far that is and what came of it. */
export function Verification() {
  const { t } = useTranslation('audit');
  const queries = useQueryClient();
  const last = useQuery(LAST_VERIFICATION);
  const start = useMutation({
    mutationFn: () => answerOf(client.POST('/patois/v1/audit-seals/verification')),
    onSuccess: (job) => {
      queries.setQueryData(LAST_VERIFICATION.queryKey, job);
      void queries.invalidateQueries({ queryKey: ['jobs', 'list'] });
    },
  });
  const isBusy = start.isPending || (last.data ? isUnderWay(last.data) : false);
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm" maw={560}>
          {t('verify.text')}
        </Text>
        <Button
          leftSection={<IconShieldSearch size={16} aria-hidden />}
          loading={isBusy}
          onClick={() => start.mutate()}
        >
          {t('verify.action')}
        </Button>
      </Group>
      {start.error && <Problem error={start.error} />}
      <Loaded query={last}>{(job) => <LastVerification job={job} />}</Loaded>
    </Stack>
  );
}

function LastVerification({ job }: { job: Job | null }) {
  const { t } = useTranslation('audit');
  if (!job) return <Text size="sm">{t('verify.never')}</Text>;
  if (isUnderWay(job)) {
    return (
      <Stack gap={4} role="status">
        <Text size="sm">{t('verify.underWay')}</Text>
        <JobProgress job={job} label={t('verify.action')} />
      </Stack>
    );
  }
  return (
    <Stack gap="xs" aria-live="polite">
      <Text size="sm">
        {t('verify.last')} <Moment at={job.endedAt} />
      </Text>
      <JobResult job={job} />
    </Stack>
  );
}
