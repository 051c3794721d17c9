import { Button, Code, Group, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Callout } from '../parts/callout';
import { CopyButton } from '../parts/copy-button';

/** What docs/notices.md says to receivers. The secret is left out: code is no place for it. */
const SNIPPET = `import { Webhook } from 'standardwebhooks';

// Throws where the signature is not the secret's, or too old.
const notice = new Webhook(process.env.PATOIS_WEBHOOK_SECRET)
  .verify(body, headers);`;

/** The secret of a webhook, the one time that it is shown, and what a receiver does with it. */
export function ShownSecret({ secret, onDone }: { secret: string; onDone: () => void }) {
  const { t } = useTranslation('channels');
  return (
    <Stack>
      <Callout tone="warning" title={t('secret.once')}>
        {t('secret.onceText')}
      </Callout>
      <Group gap="sm">
        <Code fz="md" className="mono" data-testid="secret">
          {secret}
        </Code>
        <CopyButton value={secret} label={t('secret.name')} />
      </Group>
      <Stack gap="xs">
        <Text size="sm">{t('secret.check')}</Text>
        <Code block tabIndex={0} aria-label={t('secret.snippet')}>
          {SNIPPET}
        </Code>
        <Group>
          <CopyButton value={SNIPPET} label={t('secret.snippet')} />
        </Group>
        <Text size="sm">{t('secret.byHand')}</Text>
      </Stack>
      <Group justify="flex-end">
        <Button onClick={onDone}>{t('secret.stored')}</Button>
      </Group>
    </Stack>
  );
}
