import { Button, Group, Modal, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { administersAll, useMe } from '../api/me';
import { ApiProblem } from '../api/problem';
import { Problem } from '../parts/confirm-dialog';
import { notifyDone } from '../parts/notify';
import { NewPassword } from './new-password';
import { PasswordFields } from './password-fields';
import { forgetPeople, type Person } from './people-queries';
import {
  changesOf,
  creationOf,
  draftOf,
  emptyDraft,
  mistakesIn,
  passwordOf,
  type PersonDraft,
} from './person-draft';
import { IdentityFields, PlaceFields, RightsFields } from './person-fields';
import { mayActFor } from './rights';

/** Fields that the form shows, and so the errors that stand there. */
const FIELDS = ['login', 'password', 'email', 'name', 'role', 'organization', 'locations', 'permissions'];

/** Makes somebody, or changes who is given. Nothing that was typed is lost when the server refuses it. */
export function PersonDialog({
  person,
  isOpen,
  onClose,
}: {
  /** Undefined: somebody new. */
  person: Person | undefined;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation('people');
  const title = person ? t('edit.title', { login: person.login }) : t('create.title');
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={title}
      size="lg"
      // A click beside it would throw away what was typed, or a password that is shown once.
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {isOpen && <FormThenPassword person={person} onClose={onClose} />}
    </Modal>
  );
}

function FormThenPassword({ person, onClose }: { person: Person | undefined; onClose: () => void }) {
  const { t } = useTranslation('people');
  const [made, setMade] = useState<{ login: string; password: string }>();
  if (made) return <NewPassword {...made} onClose={onClose} />;
  return (
    <PersonForm
      person={person}
      onClose={onClose}
      onDone={(login, generated) => {
        notifyDone(t(person ? 'edit.done' : 'create.done', { login }));
        if (generated === undefined) onClose();
        else setMade({ login, password: generated });
      }}
    />
  );
}

function PersonForm({
  person,
  onClose,
  onDone,
}: {
  person: Person | undefined;
  onClose: () => void;
  onDone: (login: string, generatedPassword: string | undefined) => void;
}) {
  const { t } = useTranslation('people');
  const me = useMe();
  const isNew = !person;
  const [draft, setDraft] = useState<PersonDraft>(() => (person ? draftOf(person) : emptyDraft(me)));
  const [mistakes, setMistakes] = useState<string[]>([]);
  const form = useRef<HTMLFormElement>(null);
  const save = useMutation({
    // What was made up is no part of the draft: it is shown only once the server has it.
    mutationFn: async () => {
      const password = passwordOf(draft);
      const login = person ? person.login : draft.login.trim();
      if (person) {
        const body = changesOf(draft, person, password);
        await answerOf(
          client.PATCH('/patois/v1/users/{user}', { params: { path: { user: person.id } }, body }),
        );
      } else {
        await answerOf(client.POST('/patois/v1/users', { body: creationOf(draft, password) }));
      }
      return { login, generated: draft.passwordChoice === 'generated' ? (password ?? undefined) : undefined };
    },
    // Its answer may be a password.
    gcTime: 0,
    onSuccess: ({ login, generated }) => {
      void forgetPeople();
      onDone(login, generated);
    },
  });
  const refused = fieldsOf(save.error);
  const wrong = [...mistakes, ...refused];
  const errorOf = (field: string): string | undefined => {
    if (refused.includes(field) && field === 'login' && isTaken(save.error)) return t('errors.taken');
    return wrong.includes(field) ? t(`errors.${field}`) : undefined;
  };
  const firstWrong = wrong.join(' ');
  useEffect(() => {
    const field = firstWrong && form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    if (!field) return;
    field.focus({ preventScroll: true });
    // Its label and what is wrong with it are to be seen as well.
    field.scrollIntoView({ block: 'center' });
  }, [firstWrong, save.submittedAt]);

  const change = (changes: Partial<PersonDraft>): void => {
    setDraft((before) => ({ ...before, ...changes }));
    setMistakes((before) => before.filter((field) => !(field in changes)));
  };
  const fields = { draft, onChange: change, errorOf };
  const maySetPassword = isNew || mayActFor(me, person);
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const found = mistakesIn(draft, isNew);
        setMistakes(found);
        save.reset();
        if (found.length === 0) save.mutate();
      }}
    >
      <Stack>
        <IdentityFields {...fields} isNew={isNew} />
        {maySetPassword && (
          <PasswordFields draft={draft} onChange={change} error={errorOf('password')} isNew={isNew} />
        )}
        <RightsFields {...fields} had={person?.permissions ?? []} />
        <PlaceFields {...fields} mayMove={administersAll(me)} isNew={isNew} />
        {save.error && refused.length === 0 ? <Problem error={save.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t(isNew ? 'create.submit' : 'edit.submit')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The fields that a refusal is about, when the form shows all of those: `/locations/0` is about `locations`. */
function fieldsOf(error: unknown): string[] {
  if (!(error instanceof ApiProblem)) return [];
  const fields = error.errors.map(({ pointer }) => pointer.split('/')[1] ?? '');
  return fields.every((field) => FIELDS.includes(field)) ? fields : [];
}

function isTaken(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 409;
}
