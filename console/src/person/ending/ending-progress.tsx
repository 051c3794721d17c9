import { Alert, Button, Group, Loader, Progress, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCircleDashed } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useProblemText } from '../../parts/states';
import { type Job, STEPS, type Step } from './steps';
import { type Ending, JobNotDone, SomethingLeft } from './use-ending';

type State = 'waiting' | 'busy' | 'failed' | 'done';

/** How far it is, step by step; what failed and the way on; in the end what the server says is left. */
export function EndingProgress({
  ending,
  onRetry,
  onClose,
}: {
  ending: Ending;
  onRetry: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('person');
  const { job, proof, error, isBusy } = ending;
  const isDone = ending.step === 'done';
  return (
    <Stack>
      <Stack component="ol" gap="xs" className="plain-list" aria-live="polite">
        {STEPS.map((step) => (
          <OneStep key={step} step={step} state={stateOf(step, ending)}>
            {step === 'revoke' && job !== undefined && <JobProgress job={job} />}
          </OneStep>
        ))}
      </Stack>
      {error ? <EndingProblem error={error} onRetry={onRetry} /> : null}
      {isDone && proof && (
        <Alert color="green" role="status" title={t('ending.proof', { count: proof.working })}>
          <Text size="sm">{t('ending.proofDetails')}</Text>
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} autoFocus>
          {t(isBusy ? 'ending.hide' : 'shell:confirm.close')}
        </Button>
      </Group>
    </Stack>
  );
}

function stateOf(step: Step, { step: current, isBusy }: Ending): State {
  if (current === 'done') return 'done';
  const place = STEPS.indexOf(step);
  const now = current === undefined ? -1 : STEPS.indexOf(current);
  if (place !== now) return place < now ? 'done' : 'waiting';
  return isBusy ? 'busy' : 'failed';
}

function OneStep({ step, state, children }: { step: Step; state: State; children: ReactNode }) {
  const { t } = useTranslation('person');
  return (
    <li>
      <Group gap="sm" wrap="nowrap">
        <Sign state={state} />
        <Text>
          {t(`ending.steps.${step}`)}{' '}
          <Text span size="sm">
            ({t(`ending.states.${state}`)})
          </Text>
        </Text>
      </Group>
      {children}
    </li>
  );
}

function Sign({ state }: { state: State }) {
  if (state === 'busy') return <Loader size={18} aria-hidden />;
  if (state === 'done') return <IconCheck size={18} color="var(--mantine-color-green-6)" aria-hidden />;
  if (state === 'failed')
    return <IconAlertTriangle size={18} color="var(--mantine-color-red-6)" aria-hidden />;
  return <IconCircleDashed size={18} aria-hidden />;
}

function JobProgress({ job: { done, total } }: { job: Job }) {
  const { t } = useTranslation('person');
  const all = total ?? 0;
  return (
    <Stack gap={4} pl={30}>
      <Progress value={all === 0 ? 100 : (done / all) * 100} aria-label={t('ending.steps.revoke')} />
      <Text size="sm">{t('ending.progress', { done, count: all })}</Text>
    </Stack>
  );
}

function EndingProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation('person');
  const refusal = useProblemText(error);
  const text = (): string => {
    if (error instanceof JobNotDone) {
      return t(error.job.status === 'cancelled' ? 'ending.jobCancelled' : 'ending.jobFailed', {
        problem: error.job.problem ?? '',
      });
    }
    if (!(error instanceof SomethingLeft)) return refusal;
    const { isDisabled, notRevoked } = error.proof;
    return isDisabled ? t('ending.left', { count: notRevoked }) : t('ending.enabledAgain');
  };
  return (
    <Alert color="red" role="alert" title={t('ending.stopped')}>
      <Group justify="space-between">
        <Text size="sm">{text()}</Text>
        <Button size="xs" variant="default" onClick={onRetry}>
          {t('ending.retry')}
        </Button>
      </Group>
    </Alert>
  );
}
