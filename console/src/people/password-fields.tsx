import { PasswordInput, Radio, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { PasswordChoice, PersonDraft } from './person-draft';

const OF_A_NEW_PERSON: PasswordChoice[] = ['generated', 'typed', 'none'];

/** With what somebody signs in: a password that is made here and shown once, one that is typed, or none. */
export function PasswordFields({
  draft,
  onChange,
  error,
  isNew,
}: {
  draft: PersonDraft;
  onChange: (changes: Partial<PersonDraft>) => void;
  error: string | undefined;
  isNew: boolean;
}) {
  const { t } = useTranslation('people');
  const choices: PasswordChoice[] = isNew ? OF_A_NEW_PERSON : ['keep', ...OF_A_NEW_PERSON];
  const isTyped = draft.passwordChoice === 'typed';
  return (
    <>
      <Radio.Group
        label={t('fields.password')}
        description={isNew ? undefined : t('fields.passwordHelp')}
        value={draft.passwordChoice}
        onChange={(choice) => onChange({ passwordChoice: choice as PasswordChoice })}
        error={isTyped ? undefined : error}
      >
        <Stack gap="xs" mt="xs">
          {choices.map((choice) => (
            <Radio
              key={choice}
              value={choice}
              label={t(`passwords.${choice}`)}
              description={choice === 'none' ? t('passwords.noneHelp') : undefined}
            />
          ))}
        </Stack>
      </Radio.Group>
      {isTyped && (
        <PasswordInput
          label={t('fields.typedPassword')}
          description={t('fields.typedPasswordHelp')}
          value={draft.password}
          onChange={(event) => onChange({ password: event.currentTarget.value })}
          error={error}
          required
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('fields.showPassword') }}
        />
      )}
    </>
  );
}
