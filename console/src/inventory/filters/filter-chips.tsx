import { ActionIcon, Button, Group } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useDialectTitle } from '../../dialects/dialect-words';
import { exact } from '../../parts/moment';
import { FILTER_NAMES, TOKEN_FILTERS, type TokenFilter, type TokenFilterName } from '../token-filters';

/** What narrows the table now: each can be changed, and taken back. */
export function FilterChips({
  filter,
  onFilter,
  onEdit,
}: {
  filter: TokenFilter;
  onFilter: (filter: TokenFilter) => void;
  onEdit: (name: TokenFilterName) => void;
}) {
  const { t } = useTranslation('inventory');
  const wordsOf = useFilterWords();
  const names = FILTER_NAMES.filter((name) => filter[name] !== undefined);
  if (names.length === 0) return null;
  return (
    <Group gap="xs" role="group" aria-label={t('filters.active')}>
      {names.map((name) => {
        const words = wordsOf(name, filter[name] ?? '');
        const rest = Object.fromEntries(Object.entries(filter).filter(([other]) => other !== name));
        return (
          <Group key={name} gap={0} wrap="nowrap" className="filter-chip" maw="100%">
            <Button
              size="compact-sm"
              variant="transparent"
              color="var(--mantine-color-text)"
              fw={400}
              title={words}
              onClick={() => onEdit(name)}
            >
              {words}
            </Button>
            <ActionIcon
              size="sm"
              variant="transparent"
              color="var(--mantine-color-text)"
              aria-label={t('filters.remove', { filter: words })}
              onClick={() => onFilter(rest)}
            >
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </Group>
        );
      })}
      {names.length > 1 && (
        <Button size="compact-sm" variant="subtle" onClick={() => onFilter({})}>
          {t('filters.clear')}
        </Button>
      )}
    </Group>
  );
}

/** A filter in words. */
export function useFilterWords(): (name: TokenFilterName, value: string) => string {
  const { t, i18n } = useTranslation('inventory');
  const titleOf = useDialectTitle();
  return (name, value) => {
    const kind = TOKEN_FILTERS[name];
    if (kind === 'flag' && (value === 'true' || value === 'false'))
      return t(`filters.flags.${name}.${value}`);
    const words = (): string => {
      if (kind === 'dialect') return titleOf(value);
      if (kind === 'status') return t(`shell:statuses.${value}`, { defaultValue: value });
      if (kind === 'moment' && !Number.isNaN(Date.parse(value))) return exact(value, i18n.language);
      return value;
    };
    return t('filters.is', { name: t(`filters.names.${name}`), value: words() });
  };
}
