import { Button, Group, Modal, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client, type Schemas } from '../api/client';
import { ApiProblem } from '../api/problem';
import { Problem } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { changesOf, draftOf, linesOf, localOf } from './edit';
import { type Token, TOKEN } from './queries';

const FIELDS = ['/name', '/description', '/allowedCidrs', '/expiresAt', '/status'];

/** Changes a token; its scopes and its owner cannot be changed. */
export function EditDialog({
  token,
  isOpen,
  onClose,
}: {
  token: Token;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation('token');
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('edit.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {isOpen && <EditForm token={token} onClose={onClose} />}
    </Modal>
  );
}

function EditForm({ token, onClose }: { token: Token; onClose: () => void }) {
  const { t } = useTranslation('token');
  const [before] = useState(() => draftOf(token));
  const [openedAt] = useState(() => localOf(new Date().toISOString()));
  const [draft, setDraft] = useState(before);
  const set = (changes: Partial<typeof draft>): void => setDraft((known) => ({ ...known, ...changes }));
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (body: Schemas['UpdateToken']) =>
      answerOf(
        client.PATCH('/patois/v1/tokens/{tokenId}', { params: { path: { tokenId: token.tokenId } }, body }),
      ),
    onSuccess: (changed) => {
      queries.setQueryData(TOKEN(token.tokenId).queryKey, changed);
      void queries.invalidateQueries({ queryKey: ['tokens'] });
      notifyDone(t('edit.done', { name: changed.name }));
      onClose();
    },
  });
  const body = changesOf(before, draft);
  const isChanged = Object.keys(body).length > 0;
  const { error } = save;
  const errorOf = (pointer: string): string | undefined =>
    error instanceof ApiProblem
      ? error.errors.find((one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`))?.detail
      : undefined;
  const isTold = FIELDS.some((pointer) => errorOf(pointer) !== undefined);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged && !save.isPending) save.mutate(body);
      }}
    >
      <Stack>
        <TextInput
          label={t('edit.name')}
          value={draft.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
          error={errorOf('/name')}
          maxLength={255}
          required
          data-autofocus
        />
        <Textarea
          label={t('edit.description')}
          value={draft.description}
          onChange={(event) => set({ description: event.currentTarget.value })}
          error={errorOf('/description')}
          autosize
          minRows={2}
          maxRows={8}
        />
        <Textarea
          label={t('edit.places')}
          description={t('edit.placesHint')}
          value={draft.allowedCidrs}
          onChange={(event) => set({ allowedCidrs: event.currentTarget.value })}
          error={placeError(error, draft.allowedCidrs) ?? errorOf('/allowedCidrs')}
          classNames={{ input: 'mono' }}
          spellCheck={false}
          autosize
          minRows={2}
          maxRows={8}
        />
        <Group align="flex-end" gap="sm">
          <TextInput
            type="datetime-local"
            label={t('edit.expires')}
            description={t('edit.expiresHint')}
            value={draft.expiresAt}
            min={openedAt}
            onChange={(event) => set({ expiresAt: event.currentTarget.value })}
            error={errorOf('/expiresAt')}
          />
          <Button variant="default" disabled={draft.expiresAt === ''} onClick={() => set({ expiresAt: '' })}>
            {t('edit.never')}
          </Button>
        </Group>
        <Switch
          label={t('edit.active')}
          description={t('edit.activeHint')}
          checked={draft.isActive}
          onChange={(event) => set({ isActive: event.currentTarget.checked })}
          error={errorOf('/status')}
        />
        {error && !isTold ? <Problem error={error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!isChanged}>
            {t('edit.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Which of the blocks is wrong, and why: the server names it by its place. */
function placeError(error: unknown, typed: string): string | undefined {
  if (!(error instanceof ApiProblem)) return undefined;
  const lines = linesOf(typed);
  for (const { pointer, detail } of error.errors) {
    const [, index] = /^\/allowedCidrs\/(\d+)$/.exec(pointer) ?? [];
    if (index !== undefined) return `${lines[Number(index)] ?? ''}: ${detail}`;
  }
  return undefined;
}
