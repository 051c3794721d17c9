import { Button, Group, PasswordInput, Progress, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { ApiProblem } from '../api/problem';
import { leaveForSignIn } from '../api/session';
import { Card } from '../parts/card';
import { Problem } from '../parts/confirm-dialog';
import { bytesOf, faultOf, LEAST_BYTES, MOST_BYTES, type Strength, strengthOf } from './password';

const STRENGTHS: Record<Strength, { part: number; color: string }> = {
  weak: { part: 33, color: 'red' },
  fair: { part: 66, color: 'yellow' },
  strong: { part: 100, color: 'green' },
};

/** Changes my password; afterwards every session has ended, this one too. */
export function PasswordForm({ login }: { login: string }) {
  const { t } = useTranslation(['account', 'sign-in']);
  const [old, setOld] = useState('');
  const [chosen, setChosen] = useState('');
  const [repeated, setRepeated] = useState('');
  const change = useMutation({
    mutationFn: () =>
      answerOf(client.PUT('/patois/v1/me/password', { body: { oldPassword: old, newPassword: chosen } })),
    onSuccess: () => leaveForSignIn('passwordChanged'),
  });
  const fault = chosen === '' ? undefined : faultOf(chosen, old);
  const isOther = repeated !== '' && repeated !== chosen;
  const isReady = old !== '' && chosen !== '' && repeated === chosen && fault === undefined;
  const { error } = change;
  const isWrong = error instanceof ApiProblem && error.errorOf('/oldPassword') !== undefined;
  const eye = { 'aria-label': t('sign-in:showPassword'), 'aria-hidden': false, tabIndex: 0 };
  return (
    <Card title={t('password.title')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !change.isPending) change.mutate();
        }}
      >
        <Stack>
          <Text size="sm">{t('password.hint')}</Text>
          {/* For password managers: whose password it is. */}
          <input type="text" name="username" autoComplete="username" value={login} readOnly hidden />
          <PasswordInput
            label={t('password.old')}
            autoComplete="current-password"
            value={old}
            onChange={(event) => {
              setOld(event.currentTarget.value);
              if (error) change.reset();
            }}
            error={isWrong && t('password.wrong')}
            visibilityToggleButtonProps={eye}
            required
          />
          <Stack gap={6}>
            <PasswordInput
              label={t('password.new')}
              description={t('password.bounds', { least: LEAST_BYTES, most: MOST_BYTES })}
              autoComplete="new-password"
              value={chosen}
              onChange={(event) => setChosen(event.currentTarget.value)}
              error={fault !== undefined && t(`password.faults.${fault}`, { bytes: bytesOf(chosen) })}
              visibilityToggleButtonProps={eye}
              required
            />
            {chosen !== '' && fault === undefined && <Strong strength={strengthOf(chosen)} />}
          </Stack>
          <PasswordInput
            label={t('password.repeated')}
            autoComplete="new-password"
            value={repeated}
            onChange={(event) => setRepeated(event.currentTarget.value)}
            error={isOther && t('password.other')}
            visibilityToggleButtonProps={eye}
            required
          />
          {error && !isWrong ? <Problem error={error} /> : null}
          <Group justify="flex-end">
            <Button type="submit" loading={change.isPending} disabled={!isReady}>
              {t('password.submit')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function Strong({ strength }: { strength: Strength }) {
  const { t } = useTranslation('account');
  const { part, color } = STRENGTHS[strength];
  return (
    <Stack gap={2}>
      <Progress value={part} color={color} size="sm" aria-hidden />
      <Text size="sm" role="status">
        {t(`password.strengths.${strength}`)}
      </Text>
    </Stack>
  );
}
