import { Group, Progress, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconBan, IconCircleCheck, IconClock, IconLoader2 } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { SignBadge } from '../parts/sign-badge';
import { isUnderWay, type Job } from './job-queries';

const SIGNS = {
  waiting: { Icon: IconClock, color: 'gray' },
  running: { Icon: IconLoader2, color: 'blue' },
  done: { Icon: IconCircleCheck, color: 'green' },
  failed: { Icon: IconAlertTriangle, color: 'red' },
  cancelled: { Icon: IconBan, color: 'orange' },
} as const;

/** How a job stands, by a word and a sign; the colour comes on top. */
export function JobStatusBadge({ status }: Pick<Job, 'status'>) {
  const { t } = useTranslation('jobs');
  return <SignBadge {...SIGNS[status]} text={t(`statuses.${status}`)} />;
}

/** How far a job is, or came: a bar where there is more to do, and always how many are done. */
export function JobProgress({ job, label }: { job: Job; label: string }) {
  const { t, i18n } = useTranslation('jobs');
  const { done, failed, total } = job;
  const number = (value: number): string => new Intl.NumberFormat(i18n.language).format(value);
  const percent = percentOf(job);
  return (
    <Stack gap={4} miw={140}>
      {percent !== undefined && (
        <Progress.Root size="md">
          <Progress.Section
            value={percent}
            color={isUnderWay(job) ? undefined : 'gray'}
            animated={job.status === 'running'}
            aria-label={label}
          />
        </Progress.Root>
      )}
      <Group gap="xs" fz="sm">
        <Text span inherit className="nowrap">
          {total === null
            ? t('progress.done', { done: number(done) })
            : t('progress.doneOf', { done: number(done), total: number(total) })}
        </Text>
        {failed > 0 && (
          <Text span inherit className="nowrap" fw={600}>
            {t('progress.failed', { failed: number(failed) })}
          </Text>
        )}
      </Group>
    </Stack>
  );
}

/** Undefined: nobody knows how many there are, or nothing is left of them to be told by a bar. */
function percentOf({ status, done, failed, total }: Job): number | undefined {
  if (status === 'done' || total === null) return undefined;
  return total === 0 ? 0 : Math.min(100, (100 * (done + failed)) / total);
}
