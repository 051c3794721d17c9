import { Group, Radio, SimpleGrid, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Dialect } from '../dialects/dialect-list';
import { useDialectTitle } from '../dialects/dialect-words';

/** A card for each dialect, with what it is for. */
export function DialectChoice({
  dialects,
  chosen,
  onChoose,
}: {
  dialects: Dialect[];
  chosen: string | null;
  onChoose: (name: string) => void;
}) {
  const { t } = useTranslation('dialects');
  const title = useDialectTitle();
  return (
    <Radio.Group label={t('my-tokens:make.dialect')} value={chosen} onChange={onChoose} mb="lg" maw={860}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" mt="xs">
        {dialects.map(({ name }) => (
          <Radio.Card key={name} value={name} p="md" className="choice" aria-labelledby={`${name}-title`}>
            <Group wrap="nowrap" align="flex-start" gap="sm">
              <Radio.Indicator />
              <div>
                <Text fw={600} id={`${name}-title`}>
                  {title(name)}
                </Text>
                <Text size="sm">{t(`purposes.${name}`, { defaultValue: '' })}</Text>
              </div>
            </Group>
          </Radio.Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  );
}
