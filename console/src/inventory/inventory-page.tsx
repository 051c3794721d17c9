import './inventory.css';
import { Button, Group, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ExportMenu } from '../parts/export-menu';
import { PageHeader } from '../parts/page-header';
import { Empty, Failed, Loaded } from '../parts/states';
import { ColumnMenu } from './column-menu';
import { FilterBar } from './filters/filter-bar';
import { tokenList, tokenSummary } from './queries';
import { SelectionBar } from './selection-bar';
import { TokenTable } from './token-table';
import { useColumns } from './use-columns';
import { useSelection } from './use-selection';
import { useView } from './use-view';

/** Every token of every dialect that the caller administers, narrowed as the address says. */
export function InventoryPage() {
  const { t } = useTranslation('inventory');
  const view = useView();
  const { filter, sort } = view;
  const exported = filter as Record<string, string>;
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('description')}
        actions={<ExportMenu path="/patois/v1/tokens/export" filter={exported} name="tokens" />}
      />
      <Stack gap="sm">
        <FilterBar filter={filter} onFilter={view.setFilter} />
        {/* With another view the selection is gone: nobody would see any more what it is. */}
        <Tokens key={JSON.stringify([filter, sort])} view={view} />
      </Stack>
    </>
  );
}

function Tokens({ view: { filter, sort, setSort, setFilter } }: { view: ReturnType<typeof useView> }) {
  const { t, i18n } = useTranslation('inventory');
  const list = useInfiniteQuery(tokenList(filter, sort));
  const summary = useQuery(tokenSummary(filter));
  // Whoever comes back to a list that is still there, comes back to the same row.
  const [isKept] = useState(list.data !== undefined);
  const { visibility, toggle } = useColumns();
  const address = JSON.stringify([filter, sort]);
  const selection = useSelection();
  const tokens = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  const onNearEnd = useCallback(() => {
    if (!isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [fetchNextPage, isFetchNextPageError, isFetchingNextPage]);
  const total = hasNextPage ? summary.data?.total : tokens.length;
  const number = (value: number): string => new Intl.NumberFormat(i18n.language).format(value);
  const counted = summary.data ?? (list.data && !hasNextPage ? { total: tokens.length } : undefined);
  return (
    <>
      <Group justify="space-between" mih={36}>
        <Text size="sm" role="status">
          {counted
            ? t('total', { count: counted.total, number: number(counted.total) })
            : summary.error
              ? t('totalUnknown')
              : t('counting')}
        </Text>
        <ColumnMenu visibility={visibility} onToggle={toggle} />
      </Group>
      <SelectionBar filter={filter} selection={selection} total={counted?.total} />
      <Loaded query={{ ...list, error: isFetchNextPageError ? null : list.error }}>
        {() =>
          tokens.length === 0 ? (
            <NoTokens isNarrowed={Object.keys(filter).length > 0} onClear={() => setFilter({})} />
          ) : (
            <TokenTable
              tokens={tokens}
              total={total}
              hasMore={hasNextPage}
              onNearEnd={onNearEnd}
              sort={sort}
              onSort={setSort}
              visibility={visibility}
              selection={selection}
              view={address}
              isKept={isKept}
            />
          )
        }
      </Loaded>
      {isFetchNextPageError && <Failed error={list.error} onRetry={() => void fetchNextPage()} />}
      <Text size="xs" c="dimmed" mih={18} aria-hidden>
        {hasNextPage && t('read', { number: number(tokens.length) })}
      </Text>
    </>
  );
}

function NoTokens({ isNarrowed, onClear }: { isNarrowed: boolean; onClear: () => void }) {
  const { t } = useTranslation('inventory');
  if (!isNarrowed) return <Empty>{t('empty')}</Empty>;
  const action = (
    <Button variant="default" onClick={onClear}>
      {t('filters.clear')}
    </Button>
  );
  return <Empty action={action}>{t('noneSuch')}</Empty>;
}
