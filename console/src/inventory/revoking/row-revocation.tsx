import { Alert, Button, Group, List, Modal, Progress, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ConfirmForm } from '../../parts/confirm-dialog';
import { useProblemText } from '../../parts/states';
import type { Token } from '../queries';
import type { TokenFilter } from '../token-filters';
import { ReasonInput } from './reason-input';
import { RevocationSample } from './revocation-sample';
import { type RowRevocationState, useRowRevocation } from './use-row-revocation';

/** More are one request each too many: a filter means them better. */
const MOST = 500;
const SAMPLE = 100;

export interface RevocationDialogProps {
  filter: TokenFilter;
  /** The rows that were chosen. */
  tokens: readonly Token[];
  isOpen: boolean;
  onClose: () => void;
  /** Called when it is closed after something was done. */
  onDone: () => void;
}

/** Ends the tokens of the rows that were chosen. */
export function RowRevocation({ tokens, isOpen, onClose, onDone }: RevocationDialogProps) {
  const { t, i18n } = useTranslation('inventory');
  const [reason, setReason] = useState('');
  const { state, run, stop, reset } = useRowRevocation();
  const live = tokens.filter(({ status }) => status !== 'revoked');
  const close = (): void => {
    stop();
    if (state.phase !== 'ask') onDone();
    reset();
    setReason('');
    onClose();
  };
  const count = live.length;
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      size="lg"
      title={t('revoke.title')}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {state.phase === 'ask' ? (
        <ConfirmForm
          action={t('revoke.action', { count, number: new Intl.NumberFormat(i18n.language).format(count) })}
          typed={String(count)}
          isBusy={false}
          isBlocked={count === 0 || count > MOST || reason.trim() === ''}
          error={undefined}
          onConfirm={() => void run(live, reason.trim())}
          onClose={close}
        >
          <Stack gap="sm">
            {count > MOST && <Alert color="orange">{t('revoke.tooMany', { most: MOST })}</Alert>}
            <RevocationSample count={count} sample={live.slice(0, SAMPLE)} />
            <ReasonInput reason={reason} onReason={setReason} />
          </Stack>
        </ConfirmForm>
      ) : (
        <RowProgress
          state={state}
          onStop={stop}
          onRetry={() =>
            void run(
              state.failures.map(({ token }) => token),
              reason.trim(),
            )
          }
          onClose={close}
        />
      )}
    </Modal>
  );
}

function RowProgress({
  state: { phase, total, done, failures, isStopped },
  onStop,
  onRetry,
  onClose,
}: {
  state: RowRevocationState;
  onStop: () => void;
  onRetry: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('inventory');
  const isRunning = phase === 'running';
  return (
    <Stack>
      <Progress
        value={(100 * (done + failures.length)) / Math.max(total, 1)}
        aria-label={t('revoke.title')}
        size="md"
      />
      <Text size="sm" role="status">
        {isRunning ? t('revoke.running', { done, total }) : t('revoke.ended', { done, total })}
        {isStopped && ` ${t('revoke.stopped')}`}
      </Text>
      {failures.length > 0 && (
        <Alert color="red" role="alert" title={t('revoke.failed', { count: failures.length })}>
          <List size="sm">
            {failures.map(({ token, error }) => (
              <Failure key={token.tokenId} name={token.name} error={error} />
            ))}
          </List>
        </Alert>
      )}
      <Group justify="flex-end">
        {isRunning && (
          <Button variant="default" onClick={onStop}>
            {t('revoke.stop')}
          </Button>
        )}
        {!isRunning && failures.length > 0 && <Button onClick={onRetry}>{t('shell:states.retry')}</Button>}
        {!isRunning && (
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.close')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Failure({ name, error }: { name: string; error: unknown }) {
  const text = useProblemText(error);
  return (
    <List.Item className="anywhere">
      {name}: {text}
    </List.Item>
  );
}
