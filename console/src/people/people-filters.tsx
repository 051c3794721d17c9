import { Group, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'wouter';
import { administersAll, useMe } from '../api/me';
import { allPlaces } from '../api/places';
import type { PeopleFilter } from './people-queries';

/** A search begins so long after the last key. */
const PAUSE_MS = 300;

/** The filter in the address, which can be sent to somebody else, and a way to change a part of it. */
export function usePeopleFilter(): [
  PeopleFilter,
  (name: keyof PeopleFilter, value: string | null) => void,
  () => void,
] {
  const [search, setSearch] = useSearchParams();
  const [q, organization, disabled] = [search.get('q'), search.get('organization'), search.get('disabled')];
  const filter: PeopleFilter = {
    ...(q ? { q } : {}),
    ...(organization ? { organization } : {}),
    ...(disabled === 'true' || disabled === 'false' ? { disabled: disabled === 'true' } : {}),
  };
  const change = (name: keyof PeopleFilter, value: string | null): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  return [filter, change, () => setSearch({}, { replace: true })];
}

export function PeopleFilters({
  filter,
  onChange,
}: {
  filter: PeopleFilter;
  onChange: (name: keyof PeopleFilter, value: string | null) => void;
}) {
  const { t } = useTranslation('people');
  const isOfAll = administersAll(useMe());
  const organizations = useQuery({ ...allPlaces('organizations'), enabled: isOfAll });
  const chosen = organizations.data?.find(
    ({ id, name }) => id === filter.organization || name.toLowerCase() === filter.organization?.toLowerCase(),
  );
  return (
    <Group align="flex-end" mb="md" role="search" aria-label={t('filters.title')}>
      <Search value={filter.q ?? ''} onChange={(q) => onChange('q', q)} />
      {isOfAll && (
        <Select
          label={t('filters.organization')}
          data={[
            { value: '', label: t('filters.anyOrganization') },
            ...(organizations.data ?? []).map(({ name }) => ({ value: name, label: name })),
          ]}
          value={filter.organization === undefined ? '' : (chosen?.name ?? null)}
          onChange={(name) => onChange('organization', name)}
          error={organizations.error ? t('fields.placesFailed') : undefined}
          searchable
          allowDeselect={false}
          nothingFoundMessage={t('fields.noPlace')}
          flex="1 1 12rem"
          maw={280}
        />
      )}
      <Select
        label={t('filters.state')}
        data={[
          { value: '', label: t('filters.anyState') },
          { value: 'false', label: t('states.enabled') },
          { value: 'true', label: t('states.disabled') },
        ]}
        value={filter.disabled === undefined ? '' : String(filter.disabled)}
        onChange={(value) => onChange('disabled', value)}
        allowDeselect={false}
        flex="1 1 10rem"
        maw={200}
      />
    </Group>
  );
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation('people');
  const [text, setText] = useState(value);
  const [shown, setShown] = useState(value);
  if (shown !== value) {
    // The address changed otherwise: by a link, or by the way to everybody.
    setShown(value);
    setText(value);
  }
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => onChange(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
    // The function is another one with each rendering.
    // oxlint-disable-next-line exhaustive-deps
  }, [text, value]);
  return (
    <TextInput
      type="search"
      label={t('filters.q')}
      placeholder={t('filters.qHint')}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      leftSection={<IconSearch size={16} aria-hidden />}
      maxLength={255}
      flex="2 1 14rem"
      maw={360}
    />
  );
}
