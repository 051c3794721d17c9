import { Group, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type ClientLines, clientLines, type ClientTarget } from '../dialects/client-lines';
import { CopyButton } from '../parts/copy-button';

/** Lines to paste for the clients of a dialect. */
export function SecretLines({ target }: { target: ClientTarget }) {
  return (
    <Stack gap="lg">
      {clientLines(target).map((lines) => (
        <Lines key={lines.title} {...lines} />
      ))}
    </Stack>
  );
}

function Lines({ title, text, hint }: ClientLines) {
  const { t } = useTranslation('dialects');
  const name = t(`lines.${title}`);
  return (
    <Stack gap={4} component="section" aria-label={name}>
      <Group justify="space-between" align="flex-end" wrap="nowrap">
        <div>
          <Title order={3} size="sm">
            {name}
          </Title>
          {hint && (
            <Text size="sm" c="dimmed">
              {t(`lines.${hint}`)}
            </Text>
          )}
        </div>
        <CopyButton value={text} label={name} />
      </Group>
      {/* Scrolls sideways, so the keyboard must reach it. */}
      <pre className="code-block" tabIndex={0} aria-label={name} role="region">
        {text}
      </pre>
    </Stack>
  );
}
