import { Button, Group, Radio, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { Problem } from '../parts/confirm-dialog';
import type { Existing } from './policy-queries';

/** What becomes of the tokens that are there, and the way to save. */
export function SavePolicy({
  existing,
  onChoose,
  isDirty,
  isBusy,
  isBlocked,
  error,
  onSave,
  onReset,
}: {
  existing: Existing;
  onChoose: (existing: Existing) => void;
  isDirty: boolean;
  isBusy: boolean;
  /** Whether something else must be decided or corrected first. */
  isBlocked: boolean;
  error: unknown;
  onSave: () => void;
  onReset: () => void;
}) {
  const { t } = useTranslation('policy');
  return (
    <Card title={t('save.title')}>
      <Radio.Group
        label={t('save.existing')}
        value={existing}
        onChange={(chosen) => onChoose(chosen as Existing)}
      >
        <Stack gap="xs" mt="xs">
          {(['keep', 'conform'] as const).map((choice) => (
            <Radio
              key={choice}
              value={choice}
              label={t(`save.${choice}`)}
              description={t(`save.${choice}Help`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {error ? <Problem error={error} /> : null}
      <Group>
        <Button onClick={onSave} loading={isBusy} disabled={isBlocked || (!isDirty && existing === 'keep')}>
          {t(existing === 'keep' ? 'save.submit' : 'save.submitAndConform')}
        </Button>
        {isDirty && (
          <Button variant="default" onClick={onReset} disabled={isBusy}>
            {t('save.reset')}
          </Button>
        )}
      </Group>
      {!isDirty && (
        <Text size="sm" c="dimmed">
          {t('save.nothing')}
        </Text>
      )}
    </Card>
  );
}
