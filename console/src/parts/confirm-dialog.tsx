import { Alert, Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useProblemText } from './states';

/** Asks before something is done that cannot be undone. */
export function ConfirmDialog({
  isOpen,
  title,
  children,
  action,
  typed,
  isBusy = false,
  isBlocked = false,
  error,
  onConfirm,
  onClose,
}: {
  isOpen: boolean;
  title: string;
  /** What will happen, in full. */
  children: ReactNode;
  /** What the button says that does it. */
  action: string;
  /** What must be typed first, for what ends more than one thing. */
  typed?: string;
  isBusy?: boolean;
  /** Whether it cannot be done yet, such as while the preview is read. */
  isBlocked?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={title}
      closeButtonProps={{ 'aria-label': t('confirm.close') }}
    >
      {isOpen && (
        <ConfirmForm {...{ children, action, typed, isBusy, isBlocked, error, onConfirm, onClose }} />
      )}
    </Modal>
  );
}

/** The question itself, for a dialog that goes on to show what came of it. */
export function ConfirmForm({
  children,
  action,
  typed,
  isBusy,
  isBlocked,
  error,
  onConfirm,
  onClose,
}: {
  children: ReactNode;
  action: string;
  typed: string | undefined;
  isBusy: boolean;
  isBlocked: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const isReady = !isBlocked && (typed === undefined || text.trim() === typed);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !isBusy) onConfirm();
      }}
    >
      <Stack>
        {children}
        {typed !== undefined && (
          <TextInput
            label={t('confirm.type', { text: typed })}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        )}
        {error ? <Problem error={error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('confirm.cancel')}
          </Button>
          <Button type="submit" color="red" loading={isBusy} disabled={!isReady}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A refusal where it was caused: in the dialog, not behind it. */
export function Problem({ error }: { error: unknown }) {
  return (
    <Alert color="red" role="alert">
      {useProblemText(error)}
    </Alert>
  );
}
