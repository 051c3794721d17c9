import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../parts/copy-button';

/** A password that was made here, once: it is kept nowhere, and gone when this is closed. */
export function NewPassword({
  login,
  password,
  onClose,
}: {
  login: string;
  password: string;
  onClose: () => void;
}) {
  const { t } = useTranslation('people');
  return (
    <Stack>
      <Alert
        color="yellow"
        icon={<IconKey aria-hidden />}
        title={t('newPassword.title', { login })}
        role="status"
      >
        <Text size="sm">{t('newPassword.once')}</Text>
      </Alert>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Code fz="md" className="mono" data-testid="new-password">
          {password}
        </Code>
        <CopyButton value={password} label={t('fields.password')} />
      </Group>
      <Group justify="flex-end">
        <Button onClick={onClose} data-autofocus>
          {t('newPassword.done')}
        </Button>
      </Group>
    </Stack>
  );
}
