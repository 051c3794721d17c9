import { Code, Group, List, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { CopyButton } from '../parts/copy-button';

/** The least that a provider needs; docs/sign-in.md has the rest. */
const FILE = `[
  {
    "name": "corp",
    "title": "Example Corp",
    "issuer": "https://id.example.com",
    "clientId": "patois",
    "clientSecret": "…"
  }
]`;

/** How people come to sign in by what they have anyway. */
export function NoProvider() {
  const { t } = useTranslation('providers');
  const redirectUri = `${window.location.origin}/console/sign-in/corp/callback`;
  return (
    <Card title={t('none.title')}>
      <Text size="sm">{t('none.text')}</Text>
      <List type="ordered" size="sm" spacing="md">
        <List.Item>
          {t('none.register')}
          <Group gap="xs" mt={4}>
            <Code className="mono">{redirectUri}</Code>
            <CopyButton value={redirectUri} label={t('redirectUri')} />
          </Group>
        </List.Item>
        <List.Item>
          {t('none.write')}
          <Stack gap="xs" mt={4} align="flex-start">
            <Code block tabIndex={0} aria-label={t('none.file')}>
              {FILE}
            </Code>
            <CopyButton value={FILE} label={t('none.file')} />
          </Stack>
        </List.Item>
        <List.Item>{t('none.set')}</List.Item>
      </List>
      <Text size="sm">{t('none.more')}</Text>
    </Card>
  );
}
