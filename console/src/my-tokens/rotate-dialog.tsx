import { Button, Group, Modal, Radio, Stack, Switch, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client, type Schemas } from '../api/client';
import { Problem } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { Loaded } from '../parts/states';
import { useDuration } from './duration';
import { GracePicture } from './grace-picture';
import { MY_POLICY, type Policy, type Token, type TokenWithSecret } from './queries';
import { SecretPanel } from './secret-panel';
import { useSecretCall } from './use-secret-call';
import './my-tokens.css';

const GRACES = [0, 3_600, 86_400, 604_800];

/** Replaces the value of a token, at once or with a grace, and shows the new one. */
export function RotateDialog({
  token,
  isOpen,
  onClose,
}: {
  token: Token;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation('my-tokens');
  const [rotated, setRotated] = useState<TokenWithSecret>();
  const close = (): void => {
    if (rotated) notifyDone(t('secret.gone'));
    setRotated(undefined);
    onClose();
  };
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      size={rotated ? 'xl' : 'lg'}
      title={rotated ? t('rotate.done', { name: token.name }) : t('rotate.title', { name: token.name })}
      // A click beside the dialog is no decision to part with a secret.
      closeOnClickOutside={!rotated}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {isOpen && !rotated && <Question token={token} onRotated={setRotated} onClose={close} />}
      {isOpen && rotated && <SecretPanel token={rotated} onClose={close} />}
    </Modal>
  );
}

function Question({
  token,
  onRotated,
  onClose,
}: {
  token: Token;
  onRotated: (rotated: TokenWithSecret) => void;
  onClose: () => void;
}) {
  const policy = useQuery(MY_POLICY);
  return (
    <Loaded query={policy}>
      {(found) => <RotateForm token={token} policy={found} onRotated={onRotated} onClose={onClose} />}
    </Loaded>
  );
}

function RotateForm({
  token: { tokenId },
  policy: { defaultGraceSeconds },
  onRotated,
  onClose,
}: {
  token: Token;
  policy: Policy;
  onRotated: (rotated: TokenWithSecret) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('my-tokens');
  const duration = useDuration();
  const [graceSeconds, setGrace] = useState(defaultGraceSeconds);
  const [retires, setRetires] = useState(true);
  const graces = [...new Set([...GRACES, defaultGraceSeconds])].sort((one, other) => one - other);
  const { submit, error, isBusy } = useSecretCall<Schemas['RotateToken']>(
    (body, key) =>
      answerOf(
        client.POST('/patois/v1/tokens/{tokenId}/rotate', {
          params: { path: { tokenId }, header: { 'Idempotency-Key': key } },
          body,
        }),
      ),
    onRotated,
  );
  const body = { graceSeconds, retireOnFirstUse: retires };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit(JSON.stringify(body), () => body);
      }}
    >
      <Stack>
        <Text>{t('rotate.text')}</Text>
        <Radio.Group
          label={t('rotate.grace')}
          value={String(graceSeconds)}
          onChange={(value) => setGrace(Number(value))}
        >
          <Stack gap="xs" mt="xs">
            {graces.map((seconds) => (
              <Radio
                key={seconds}
                value={String(seconds)}
                label={seconds === 0 ? t('rotate.atOnce') : t('rotate.for', { duration: duration(seconds) })}
                description={seconds === defaultGraceSeconds ? t('rotate.byPolicy') : undefined}
              />
            ))}
          </Stack>
        </Radio.Group>
        {graceSeconds > 0 && (
          <Switch
            label={t('rotate.retire')}
            description={t('rotate.retireHint')}
            checked={retires}
            onChange={(event) => setRetires(event.currentTarget.checked)}
          />
        )}
        <GracePicture graceSeconds={graceSeconds} retires={retires} />
        <Text size="sm" role="status">
          {graceSeconds === 0
            ? t('rotate.meansAtOnce')
            : t(retires ? 'rotate.meansFirstUse' : 'rotate.meansGrace', { duration: duration(graceSeconds) })}
        </Text>
        {error ? <Problem error={error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" loading={isBusy}>
            {t('rotate.action')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
