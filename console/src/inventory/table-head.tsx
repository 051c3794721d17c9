import { UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react';
import { flexRender, type Table } from '@tanstack/react-table';
import type { CSSProperties } from 'react';
import { useTranslation } from 'react-i18next';
import { type ColumnName, SORTS } from './columns';
import type { Sort, SortField, Token } from './queries';
import type { Selection } from './use-selection';

/** The names of the columns, which stay while the rows move, and what the list is sorted by. */
export function TableHead({
  table,
  rowStyle,
  sort,
  onSort,
  selection,
  tokens,
}: {
  table: Table<Token>;
  rowStyle: CSSProperties;
  sort: Sort;
  onSort: (sort: Sort) => void;
  selection: Selection;
  tokens: readonly Token[];
}) {
  const { t } = useTranslation('inventory');
  const { ids, isAll, chooseRows, clear } = selection;
  const isWhole = isAll || (tokens.length > 0 && ids.size === tokens.length);
  return (
    <div role="rowgroup" className="token-head">
      <div role="row" aria-rowindex={1} className="token-row" style={rowStyle}>
        <div role="columnheader" className="token-cell">
          <input
            type="checkbox"
            aria-label={t('chooseRead')}
            checked={isWhole}
            ref={(box) => {
              if (box) box.indeterminate = !isWhole && ids.size > 0;
            }}
            onChange={() => (isWhole ? clear() : chooseRows(tokens))}
          />
        </div>
        {table.getFlatHeaders().map((header) => {
          const field = SORTS[header.column.id as ColumnName];
          const name = flexRender(header.column.columnDef.header, header.getContext());
          return (
            <div
              role="columnheader"
              className="token-cell"
              key={header.id}
              aria-sort={field && directionOf(field, sort)}
            >
              {field ? (
                <UnstyledButton className="token-sort" onClick={() => onSort(nextSort(field, sort))}>
                  <span>{name}</span>
                  <SortSign field={field} sort={sort} />
                </UnstyledButton>
              ) : (
                name
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function SortSign({ field, sort }: { field: SortField; sort: Sort }) {
  if (sort === field) return <IconArrowUp size={14} aria-hidden />;
  if (sort === `-${field}`) return <IconArrowDown size={14} aria-hidden />;
  return <IconArrowsSort size={14} aria-hidden opacity={0.5} />;
}

function directionOf(field: SortField, sort: Sort): 'ascending' | 'descending' | 'none' {
  if (sort === field) return 'ascending';
  return sort === `-${field}` ? 'descending' : 'none';
}

/** Names begin with A, times with the latest, but for expiries, where the next is looked for. */
function nextSort(field: SortField, sort: Sort): Sort {
  const first: Sort = field === 'name' || field === 'expiresAt' ? field : `-${field}`;
  if (sort !== first) return first;
  return first === field ? `-${field}` : field;
}
