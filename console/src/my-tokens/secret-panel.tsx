import { Alert, Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../parts/copy-button';
import { exact } from '../parts/moment';
import type { TokenWithSecret } from './queries';
import { SecretLines } from './secret-lines';
import './my-tokens.css';

/** The secret of a token that was just made or rotated, and what to do with it. It is shown this once. */
export function SecretPanel({ token, onClose }: { token: TokenWithSecret; onClose: () => void }) {
  const { t, i18n } = useTranslation('my-tokens');
  const { dialect, scopes, owner, token: secret, previousValidUntil } = token;
  const target = { dialect, scopes, login: owner.login, secret, origin: window.location.origin };
  return (
    <Stack>
      <Alert
        color="yellow"
        variant="light"
        icon={<IconKey size={20} aria-hidden />}
        title={t('secret.once')}
        classNames={{ title: 'plain-title' }}
      >
        {t('secret.onceText')}
      </Alert>
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <TextInput
          label={t('secret.label', { name: token.name })}
          value={secret}
          readOnly
          autoComplete="off"
          spellCheck={false}
          onFocus={(event) => event.currentTarget.select()}
          classNames={{ input: 'mono' }}
          flex={1}
          data-autofocus
        />
        <CopyButton value={secret} label={t('secret.label', { name: token.name })} />
      </Group>
      <Text size="sm">
        {token.expiresAt === null
          ? t('secret.neverExpires')
          : t('secret.expires', { at: exact(token.expiresAt, i18n.language) })}{' '}
        {previousValidUntil && t('secret.previous', { at: exact(previousValidUntil, i18n.language) })}
      </Text>
      <Title order={2} size="h4">
        {t('secret.lines')}
      </Title>
      <SecretLines target={target} />
      <Group justify="flex-end">
        <Button onClick={onClose}>{t('secret.close')}</Button>
      </Group>
    </Stack>
  );
}
