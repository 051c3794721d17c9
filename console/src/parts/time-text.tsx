import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { exact, relative } from './moment';

/** A moment as `Moment` words it, for lists of very many: the exact one is shown by the browser, which costs nothing. */
export function TimeText({ at, none }: { at: string | null; none: string }) {
  const { i18n } = useTranslation();
  if (at === null) {
    return (
      <Text size="sm" c="dimmed" truncate>
        {none}
      </Text>
    );
  }
  return (
    <Text size="sm" truncate component="time" display="block" dateTime={at} title={exact(at, i18n.language)}>
      {relative(at, i18n.language)}
    </Text>
  );
}
