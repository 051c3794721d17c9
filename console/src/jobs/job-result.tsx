import { List, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { VerificationResult } from '../audit/verification-result';
import { Callout } from '../parts/callout';
import { Fact, Facts } from '../parts/facts';
import { isUnderWay, type Job } from './job-queries';

/** In the order in which they are told. Of these a message says how many. */
const COUNTS: Record<string, readonly string[]> = {
  revocation: ['revoked', 'alreadyRevoked', 'appeared'],
  'policy-conformance': ['shortened', 'confined', 'revoked', 'appeared', 'gone'],
  'owner-deletion': ['revoked'],
  'unused-tokens': ['revoked'],
};

/** What came of a job that has ended, in words; nothing while it is under way. */
export function JobResult({ job }: { job: Job }) {
  const { t } = useTranslation('jobs');
  if (isUnderWay(job)) return null;
  if (job.status === 'failed') {
    return (
      <Callout tone="danger" title={t('ends.failed')}>
        <Stack gap="xs">
          <Text size="sm">{job.problem}</Text>
          <Text size="sm">{t('ends.kept')}</Text>
        </Stack>
      </Callout>
    );
  }
  if (job.status === 'cancelled') {
    return (
      <Callout tone="warning" title={t('ends.cancelled')}>
        {t('ends.kept')}
      </Callout>
    );
  }
  if (job.kind === 'audit-verification') return <VerificationResult job={job} />;
  return (
    <Callout tone="good" title={t('ends.done')}>
      <Outcome job={job} />
    </Callout>
  );
}

function Outcome({ job: { kind, result } }: { job: Job }) {
  const { t, i18n } = useTranslation('jobs');
  if (!result) return t('ends.nothing');
  const known = COUNTS[kind];
  if (!known) return <Raw result={result} />;
  const counts = known
    .map((key) => ({ key, count: result[key] }))
    .filter((one): one is { key: string; count: number } => typeof one.count === 'number' && one.count > 0);
  const number = new Intl.NumberFormat(i18n.language);
  return (
    <List size="sm">
      {counts.map(({ key, count }) => (
        <List.Item key={key}>
          {t(`kinds.${kind}.results.${key}`, { count, number: number.format(count) })}
        </List.Item>
      ))}
      {counts.length === 0 && <List.Item>{t('ends.none')}</List.Item>}
      {result['isSuperseded'] === true && <List.Item>{t('ends.isSuperseded')}</List.Item>}
    </List>
  );
}

/** Of a kind that there are no words for. */
function Raw({ result }: { result: Record<string, unknown> }) {
  return (
    <Facts>
      {Object.entries(result).map(([key, value]) => (
        <Fact key={key} name={key}>
          <span className="mono">{typeof value === 'string' ? value : JSON.stringify(value)}</span>
        </Fact>
      ))}
    </Facts>
  );
}
