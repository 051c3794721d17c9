import { Anchor, Progress, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { queries } from '../api/queries';
import { Card } from '../parts/card';
import { Failed } from '../parts/states';
import { type Job, jobOf } from './policy-queries';

/** What the job that makes tokens conform has done so far, and what came of it. */
export function ConformanceProgress({ started }: { started: Job }) {
  const { t } = useTranslation('policy');
  const query = useQuery({ ...jobOf(started.id), initialData: started, staleTime: 0 });
  const job = query.data;
  const hasEnded = job.endedAt !== null;
  useEffect(() => {
    // What it changed is shown as it was.
    if (!hasEnded) return;
    for (const room of ['policyPreview', 'tokens', 'owners']) {
      void queries.invalidateQueries({ queryKey: [room] });
    }
  }, [hasEnded]);
  const total = job.total ?? 0;
  // A token that is shortened and then one too many is two changes.
  const percent =
    job.status === 'done' || total === 0 ? (hasEnded ? 100 : 0) : Math.min(100, (100 * job.done) / total);
  return (
    <Card title={t('job.title')}>
      <Progress.Root size="lg">
        <Progress.Section
          value={percent}
          color={job.status === 'failed' ? 'red' : undefined}
          aria-label={t('job.title')}
        />
      </Progress.Root>
      <Text role="status">
        {t(`job.statuses.${job.status}`)} {t('job.progress', { done: job.done, total })}
      </Text>
      {job.problem && <Text>{job.problem}</Text>}
      {job.status === 'done' && <Outcome result={job.result} />}
      {query.error && <Failed error={query.error} onRetry={() => void query.refetch()} />}
      <Anchor component={Link} href={`/jobs/${job.id}`}>
        {t('job.open')}
      </Anchor>
    </Card>
  );
}

/** What came of it, as the server counts: tokens whose lives were shortened, that were confined or revoked. */
function Outcome({ result }: { result: Job['result'] }) {
  const { t } = useTranslation('policy');
  const count = (key: string): number => Number(result?.[key] ?? 0);
  return (
    <Text>
      {t('job.outcome', {
        shortened: count('shortened'),
        confined: count('confined'),
        revoked: count('revoked'),
      })}
      {result?.['isSuperseded'] === true && ` ${t('job.superseded')}`}
    </Text>
  );
}
