import { Anchor, Group, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { administers, useMe } from '../api/me';
import { Actor } from '../events/actor';
import { Card } from '../parts/card';
import { CopyButton } from '../parts/copy-button';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import { PageHeader } from '../parts/page-header';
import { Loaded } from '../parts/states';
import { isUnderWay, JOB, type Job } from './job-queries';
import { JobResult } from './job-result';
import { JobProgress, JobStatusBadge } from './job-state';
import { useKindName } from './job-words';
import { StopJob } from './stop-job';

/** One job: how far it is while it runs, and what came of it. */
export function JobPage() {
  const { id } = useParams<{ id: string }>();
  const { t } = useTranslation('jobs');
  const query = useQuery(JOB(id));
  const nameOf = useKindName();
  const name = query.data ? nameOf(query.data.kind) : t('one');
  useFreshLists(query.data);
  return (
    <>
      {administers(useMe()) && (
        <Anchor component={Link} href="/jobs" size="sm">
          {t('back')}
        </Anchor>
      )}
      <PageHeader
        title={name}
        description={query.data && t(`kinds.${query.data.kind}.text`, { defaultValue: '' })}
        actions={query.data && isUnderWay(query.data) && <StopJob job={query.data} />}
      />
      <Loaded query={query}>{(job) => <OneJob job={job} name={name} />}</Loaded>
    </>
  );
}

function OneJob({ job, name }: { job: Job; name: string }) {
  const { t } = useTranslation('jobs');
  return (
    <Stack>
      <Card title={t('state')} actions={<JobStatusBadge status={job.status} />}>
        <JobProgress job={job} label={name} />
        {/* Read out when it changes, which is seldom: not each step. */}
        <Text size="sm" role="status">
          {isUnderWay(job) ? t(`under.${job.status}`) : t(`over.${job.status}`)}
        </Text>
      </Card>
      <JobResult job={job} />
      <Card title={t('about')}>
        <Facts>
          <Fact name={t('createdBy')}>
            <Actor actor={job.createdBy} />
          </Fact>
          <Fact name={t('createdAt')}>
            <Moment at={job.createdAt} />
          </Fact>
          <Fact name={t('startedAt')}>
            <Moment at={job.startedAt} />
          </Fact>
          <Fact name={t('endedAt')}>
            <Moment at={job.endedAt} />
          </Fact>
          <Fact name={t('id')}>
            <Group gap="xs">
              <span className="mono">{job.id}</span>
              <CopyButton value={job.id} label={t('id')} />
            </Group>
          </Fact>
        </Facts>
      </Card>
    </Stack>
  );
}

/** What a job has changed is read again once it has ended. */
function useFreshLists(job: Job | undefined): void {
  const queries = useQueryClient();
  const wasUnderWay = useRef(false);
  const isNow = job !== undefined && isUnderWay(job);
  const isKnown = job !== undefined;
  useEffect(() => {
    if (isKnown && wasUnderWay.current && !isNow) {
      for (const key of ['tokens', 'users']) void queries.invalidateQueries({ queryKey: [key] });
    }
    wasUnderWay.current = isNow;
  }, [isKnown, isNow, queries]);
}
