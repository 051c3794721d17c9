import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { TokenFilter } from '../token-filters';

const PAUSE_MS = 300;

/** Looks for a part of names, descriptions and token ids, once the fingers rest. */
export function SearchBox({
  filter,
  onFilter,
}: {
  filter: TokenFilter;
  onFilter: (filter: TokenFilter, options?: { replace: boolean }) => void;
}) {
  const { t } = useTranslation('inventory');
  const q = filter.q ?? '';
  const [text, setText] = useState(q);
  const sent = useRef(q);
  const send = useDebouncedCallback((next: string) => {
    sent.current = next.trim();
    // The way back leads to the list before the search, not through its letters.
    onFilter({ ...filter, q: next.trim() }, { replace: q !== '' });
  }, PAUSE_MS);
  useEffect(() => {
    // Somebody has gone back, or followed a link: not what was typed here.
    if (q !== sent.current) setText(q);
    sent.current = q;
  }, [q]);
  return (
    <TextInput
      type="search"
      label={t('filters.search')}
      placeholder={t('filters.searchHint')}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={({ currentTarget: { value } }) => {
        setText(value);
        send(value);
      }}
      maxLength={255}
      flex="1 1 260px"
      maw={480}
    />
  );
}
