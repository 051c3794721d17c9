import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { Problem } from '../parts/confirm-dialog';
import { ShownSecret } from './shown-secret';

/** For how long the old secret signs as well, in seconds. */
const GRACES = ['86400', '604800', '3600', '0'];

/** Gives a webhook a new secret, and shows it once. */
export function RotateSecret({ id, isOpen, onClose }: { id: string; isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation('channels');
  const [secret, setSecret] = useState<string>();
  const leave = (): void => {
    setSecret(undefined);
    onClose();
  };
  return (
    <Modal
      opened={isOpen}
      onClose={() => secret === undefined && onClose()}
      title={t(secret === undefined ? 'rotate.title' : 'secret.title')}
      size="lg"
      withCloseButton={secret === undefined}
      closeOnClickOutside={false}
      closeOnEscape={secret === undefined}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {secret === undefined ? (
        <RotateForm id={id} onRotated={setSecret} onClose={onClose} />
      ) : (
        <ShownSecret secret={secret} onDone={leave} />
      )}
    </Modal>
  );
}

function RotateForm({
  id,
  onRotated,
  onClose,
}: {
  id: string;
  onRotated: (secret: string) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const [grace, setGrace] = useState('86400');
  const rotate = useMutation({
    mutationFn: () =>
      answerOf(
        client.POST('/patois/v1/notice-channels/{id}/secret', {
          params: { path: { id } },
          body: { graceSeconds: Number(grace) },
        }),
      ),
    // The answer holds the secret.
    gcTime: 0,
    onSuccess: ({ secret }) => {
      void queries.invalidateQueries({ queryKey: ['channels'] });
      if (secret !== null) onRotated(secret);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        rotate.mutate();
      }}
    >
      <Stack>
        <Text size="sm">{t('rotate.text')}</Text>
        <Radio.Group label={t('rotate.grace')} value={grace} onChange={setGrace}>
          <Stack gap="xs" mt="xs">
            {GRACES.map((value) => (
              <Radio key={value} value={value} label={t(`rotate.graces.${value}`)} />
            ))}
          </Stack>
        </Radio.Group>
        {rotate.error && <Problem error={rotate.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" loading={rotate.isPending}>
            {t('rotate.action')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
