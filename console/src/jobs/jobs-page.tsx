import { Anchor, Group, Select, Stack, Table } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Actor } from '../events/actor';
import { useAddressFilter } from '../parts/address-filter';
import { Moment } from '../parts/moment';
import { inParts, NextPart } from '../parts/next-part';
import { PageHeader } from '../parts/page-header';
import { Empty, Loaded } from '../parts/states';
import { isUnderWay, JOB, JOB_KINDS, JOB_STATUSES, type Job, JOBS } from './job-queries';
import { JobProgress, JobStatusBadge } from './job-state';
import { useKindName } from './job-words';

const FILTERS = ['kind', 'status'] as const;

/** Long work of the last weeks, newest first. */
export function JobsPage() {
  const { t } = useTranslation('jobs');
  const [filter, setFilter] = useAddressFilter(FILTERS);
  const query = useInfiniteQuery(JOBS(filter));
  const nameOf = useKindName();
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <Stack>
        <Group align="flex-end">
          <Select
            label={t('kind')}
            placeholder={t('any')}
            clearable
            clearButtonProps={{ 'aria-label': t('clear', { name: t('kind') }) }}
            data={JOB_KINDS.map((value) => ({ value, label: nameOf(value) }))}
            value={filter.kind ?? null}
            onChange={(kind) => setFilter({ ...filter, kind: kind ?? '' })}
          />
          <Select
            label={t('status')}
            placeholder={t('any')}
            clearable
            clearButtonProps={{ 'aria-label': t('clear', { name: t('status') }) }}
            data={JOB_STATUSES.map((value) => ({ value, label: t(`statuses.${value}`) }))}
            value={filter.status ?? null}
            onChange={(status) => setFilter({ ...filter, status: status ?? '' })}
          />
        </Group>
        <Loaded query={inParts(query)}>
          {({ pages }) => {
            const jobs = pages.flatMap(({ items }) => items);
            if (jobs.length === 0) {
              const isNarrowed = filter.kind !== undefined || filter.status !== undefined;
              return <Empty>{t(isNarrowed ? 'noneSuch' : 'empty')}</Empty>;
            }
            return (
              <>
                <JobTable jobs={jobs} />
                <NextPart list={query} />
              </>
            );
          }}
        </Loaded>
      </Stack>
    </>
  );
}

function JobTable({ jobs }: { jobs: Job[] }) {
  const { t } = useTranslation('jobs');
  return (
    <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table aria-label={t('title')} verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('kind')}</Table.Th>
            <Table.Th scope="col">{t('status')}</Table.Th>
            <Table.Th scope="col">{t('progress.title')}</Table.Th>
            <Table.Th scope="col">{t('createdBy')}</Table.Th>
            <Table.Th scope="col">{t('createdAt')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {jobs.map((job) => (
            <JobRow key={job.id} listed={job} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** One that is under way is asked for by itself, so that the list need not be read again for it. */
function JobRow({ listed }: { listed: Job }) {
  const nameOf = useKindName();
  const { data } = useQuery({ ...JOB(listed.id), enabled: isUnderWay(listed) });
  const job = isUnderWay(listed) && data ? data : listed;
  const name = nameOf(job.kind);
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} href={`/jobs/${job.id}`} fw={600}>
          {name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <JobStatusBadge status={job.status} />
      </Table.Td>
      <Table.Td>
        <JobProgress job={job} label={name} />
      </Table.Td>
      <Table.Td>
        <Actor actor={job.createdBy} />
      </Table.Td>
      <Table.Td>
        <Moment at={job.createdAt} />
      </Table.Td>
    </Table.Tr>
  );
}
