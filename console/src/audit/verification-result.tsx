import { Group, Stack, Text } from '@mantine/core';
import { IconAlertOctagon, IconShieldCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Job } from '../jobs/job-queries';
import { Callout } from '../parts/callout';
import { CopyButton } from '../parts/copy-button';
import { Fact, Facts } from '../parts/facts';

const KINDS = ['changed', 'missing', 'reordered', 'foreign', 'unsealed', 'seal'];

/** What a verification found, as docs/audit.md has it. */
interface Finding {
  seals: number;
  events: number;
  verifiedTo: number | null;
  root: string | null;
  prunedTo: number | null;
  problem?: { kind: string; event: string | null; seal: number | null; message: string };
}

/** What the verification of the trail came to: that all holds, or the first thing that does not. */
export function VerificationResult({ job: { result } }: { job: Job }) {
  const finding = result as Finding | null;
  if (!finding) return null;
  return finding.problem ? (
    <Tampered finding={finding} problem={finding.problem} />
  ) : (
    <Sound {...{ finding }} />
  );
}

function Sound({ finding }: { finding: Finding }) {
  const { t } = useTranslation('audit');
  const { events, seals, verifiedTo } = finding;
  return (
    <Callout tone="good" Icon={IconShieldCheck} title={t('verified.sound')}>
      <Stack gap="xs">
        <Text size="sm">
          {verifiedTo === null
            ? t('verified.nothing')
            : t('verified.upTo', { count: events, seals, seal: verifiedTo })}
        </Text>
        <Pruned finding={finding} />
        <Root finding={finding} />
      </Stack>
    </Callout>
  );
}

function Tampered({
  finding,
  problem: { kind, event, seal, message },
}: {
  finding: Finding;
  problem: NonNullable<Finding['problem']>;
}) {
  const { t } = useTranslation('audit');
  const known = KINDS.includes(kind) ? kind : 'seal';
  return (
    <Callout tone="danger" Icon={IconAlertOctagon} title={t('verified.tampered')}>
      <Stack gap="xs">
        <Text fw={600}>{t(`verified.problems.${known}`)}</Text>
        <Facts>
          {event !== null && (
            <Fact name={t('verified.event')}>
              <Group gap="xs">
                <span className="mono">{event}</span>
                <CopyButton value={event} label={t('verified.event')} />
              </Group>
            </Fact>
          )}
          {seal !== null && <Fact name={t('seals.seal')}>{t('seals.number', { seal })}</Fact>}
          <Fact name={t('verified.message')}>{message}</Fact>
        </Facts>
        <Text size="sm">
          {finding.verifiedTo === null
            ? t('verified.holdsNothing')
            : t('verified.holds', { count: finding.events, seal: finding.verifiedTo })}
        </Text>
        <Text size="sm">{t('verified.advice')}</Text>
        <Pruned finding={finding} />
        <Root finding={finding} />
      </Stack>
    </Callout>
  );
}

function Pruned({ finding: { prunedTo } }: { finding: Finding }) {
  const { t } = useTranslation('audit');
  return prunedTo === null ? null : <Text size="sm">{t('verified.pruned', { seal: prunedTo })}</Text>;
}

/** To be compared with one that was stored elsewhere. */
function Root({ finding: { root, verifiedTo } }: { finding: Finding }) {
  const { t } = useTranslation('audit');
  if (root === null || verifiedTo === null) return null;
  const label = t('seals.rootOf', { seal: verifiedTo });
  return (
    <Group gap="xs">
      <Text size="sm">{label}</Text>
      <Text size="sm" className="mono">
        {root}
      </Text>
      <CopyButton value={root} label={label} />
    </Group>
  );
}
