import { Alert, Anchor, Button, Group, List, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { IconCircleCheck } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { isUnderWay, JOB, type Job } from '../../jobs/job-queries';
import { JobProgress, JobStatusBadge } from '../../jobs/job-state';
import { StopJob } from '../../jobs/stop-job';
import { Loaded } from '../../parts/states';

const COUNTS = ['revoked', 'alreadyRevoked', 'appeared'] as const;

/** How far a revocation is, and what came of it. It goes on without whoever closes this. */
export function RevocationProgress({ jobId, onClose }: { jobId: string; onClose: () => void }) {
  const { t } = useTranslation(['inventory', 'jobs']);
  const query = useQuery(JOB(jobId));
  useFreshTokens(query.data);
  return (
    <Loaded query={query}>
      {(job) => (
        <Stack>
          <Group justify="space-between">
            <JobStatusBadge status={job.status} />
            {isUnderWay(job) && <StopJob job={job} />}
          </Group>
          <JobProgress job={job} label={t('jobs:kinds.revocation.name')} />
          <Text size="sm" role="status">
            {isUnderWay(job) ? t(`jobs:under.${job.status}`) : t(`jobs:over.${job.status}`)}
          </Text>
          <Result job={job} />
          <Group justify="space-between">
            <Anchor component={Link} href={`/jobs/${jobId}`} size="sm">
              {t('revoke.job')}
            </Anchor>
            <Button variant="default" onClick={onClose}>
              {t('shell:confirm.close')}
            </Button>
          </Group>
        </Stack>
      )}
    </Loaded>
  );
}

function Result({ job }: { job: Job }) {
  const { t, i18n } = useTranslation(['inventory', 'jobs']);
  if (isUnderWay(job)) return null;
  if (job.status === 'failed') {
    return (
      <Alert color="red" role="alert" title={t('jobs:ends.failed')}>
        {job.problem} {t('jobs:ends.kept')}
      </Alert>
    );
  }
  if (job.status === 'cancelled') return <Text size="sm">{t('jobs:ends.kept')}</Text>;
  const counts = COUNTS.map((name) => [name, Number(job.result?.[name] ?? 0)] as const);
  return (
    <List size="sm" icon={<IconCircleCheck size={16} aria-hidden />}>
      {counts
        .filter(([name, count]) => name === 'revoked' || count > 0)
        .map(([name, count]) => {
          const number = new Intl.NumberFormat(i18n.language).format(count);
          return (
            <List.Item key={name}>{t(`jobs:kinds.revocation.results.${name}`, { count, number })}</List.Item>
          );
        })}
    </List>
  );
}

/** Once it has ended, the list below is read again from its beginning. */
function useFreshTokens(job: Job | undefined): void {
  const queries = useQueryClient();
  const isOver = job !== undefined && !isUnderWay(job);
  useEffect(() => {
    if (isOver) void queries.resetQueries({ queryKey: ['tokens'] });
  }, [isOver, queries]);
}
