import { NativeSelect, SegmentedControl, Stack, Text, useMantineColorScheme } from '@mantine/core';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, type Language, LANGUAGES } from '../i18n';
import { Card } from '../parts/card';

const SCHEMES = ['light', 'dark', 'auto'] as const;
const CHOICES = Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }));

/** Language and appearance, of this browser. */
export function AccountPreferences() {
  const { t, i18n } = useTranslation('account');
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const appearance = useId();
  return (
    <Card title={t('preferences.title')}>
      <NativeSelect
        label={t('shell:language')}
        data={CHOICES}
        value={i18n.language}
        onChange={(event) => void chooseLanguage(event.currentTarget.value as Language)}
      />
      <Stack gap={4}>
        <Text size="sm" fw={500} id={appearance}>
          {t('shell:theme.title')}
        </Text>
        <SegmentedControl
          aria-labelledby={appearance}
          value={colorScheme}
          onChange={(chosen) => setColorScheme(SCHEMES.find((one) => one === chosen) ?? 'auto')}
          data={SCHEMES.map((value) => ({ value, label: t(`shell:theme.${value}`) }))}
        />
      </Stack>
    </Card>
  );
}
