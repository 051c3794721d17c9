import { Select } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ACTIONS, useActionName } from './event-words';

/** What was done. An action can be chosen by its words, or typed by its name; so can the name that a dialect has for it. */
export function ActionSelect({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (action: string) => void;
}) {
  const { t } = useTranslation('audit');
  const nameOf = useActionName();
  const [search, setSearch] = useState(value ? nameOf(value) : '');
  const groups = Object.entries(ACTIONS).map(([area, actions]) => ({
    group: t(`areas.${area}`),
    items: actions.map((action: string) => ({ value: action, label: nameOf(action) })),
  }));
  const known = groups.flatMap(({ items }) => items);
  const isKnown = (text: string): boolean =>
    known.some((one) => one.value === text || one.label.toLowerCase().includes(text.toLowerCase()));
  const typed = [...new Set([value ?? '', search.trim()])].filter((text) => text !== '' && !isKnown(text));
  return (
    <Select
      label={t('filters.action.name')}
      placeholder={t('filters.action.example')}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('filters.clearAction') }}
      maxDropdownHeight={320}
      data={[...typed.map((text) => ({ value: text, label: text })), ...groups]}
      value={value ? value : null}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={(action) => onChange(action ?? '')}
    />
  );
}
