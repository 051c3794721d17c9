import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import type { PlaceKind } from '../api/places';
import { ApiProblem } from '../api/problem';
import { queries } from '../api/queries';
import { Problem } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';

/** Asks for the name of a new organization or location. */
export function PlaceDialog({
  kind,
  isOpen,
  onClose,
}: {
  kind: PlaceKind;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation('organizations');
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t(`${kind}.create`)}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {isOpen && <PlaceForm kind={kind} onClose={onClose} />}
    </Modal>
  );
}

function PlaceForm({ kind, onClose }: { kind: PlaceKind; onClose: () => void }) {
  const { t } = useTranslation('organizations');
  const [name, setName] = useState('');
  const create = useMutation({
    mutationFn: () => answerOf(client.POST(`/patois/v1/${kind}`, { body: { name: name.trim() } })),
    onSuccess: (place) => {
      notifyDone(t('created', { name: place.name }));
      void queries.invalidateQueries({ queryKey: [kind] });
      onClose();
    },
  });
  const { error } = create;
  const isOfName = error instanceof ApiProblem && error.errorOf('/name') !== undefined;
  const mistake = isOfName ? t(error.status === 409 ? 'errors.taken' : 'errors.name') : undefined;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <Stack>
        <TextInput
          label={t('name')}
          description={t(`${kind}.nameHelp`)}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            create.reset();
          }}
          error={mistake}
          required
          autoComplete="off"
          data-autofocus
        />
        {error && !isOfName ? <Problem error={error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {t('submit')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
