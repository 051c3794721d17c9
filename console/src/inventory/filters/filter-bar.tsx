import { Button, Group, Menu } from '@mantine/core';
import { IconFilterPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FILTER_NAMES, type TokenFilter, type TokenFilterName } from '../token-filters';
import { FilterChips } from './filter-chips';
import { FilterDialog } from './filter-dialog';
import { SearchBox } from './search-box';

/** What the table is narrowed to: a text to look for, and filters that are added one by one. */
export function FilterBar({
  filter,
  onFilter,
}: {
  filter: TokenFilter;
  onFilter: (filter: TokenFilter, options?: { replace: boolean }) => void;
}) {
  const { t } = useTranslation('inventory');
  const [edited, setEdited] = useState<TokenFilterName>();
  return (
    <>
      <Group gap="sm" align="flex-end">
        <SearchBox filter={filter} onFilter={onFilter} />
        <Menu position="bottom-start">
          <Menu.Target>
            <Button variant="default" leftSection={<IconFilterPlus size={16} aria-hidden />}>
              {t('filters.add')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah="60vh" style={{ overflowY: 'auto' }}>
            {FILTER_NAMES.filter((name) => name !== 'q' && filter[name] === undefined).map((name) => (
              <Menu.Item key={name} onClick={() => setEdited(name)}>
                {t(`filters.names.${name}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </Group>
      <FilterChips filter={filter} onFilter={onFilter} onEdit={setEdited} />
      <FilterDialog
        name={edited}
        filter={filter}
        onFilter={(next) => {
          setEdited(undefined);
          onFilter(next);
        }}
        onClose={() => setEdited(undefined)}
      />
    </>
  );
}
