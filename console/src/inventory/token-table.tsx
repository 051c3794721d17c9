import { Box } from '@mantine/core';
import { getCoreRowModel, useReactTable } from '@tanstack/react-table';
import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { type ColumnName, columnsOf, WIDTHS } from './columns';
import type { Sort, Token } from './queries';
import { TableHead } from './table-head';
import { TokenRow } from './token-row';
import type { Selection } from './use-selection';

const ROW_PIXELS = 44;
const CHECKBOX_PIXELS = 44;
/** Rows beyond those that can be seen: so that the next one can be reached by the tab key. */
const OVERSCAN = 6;
/** So many rows before the end of what was read the next part is asked for. */
const AHEAD = 150;

/** How far down each view was, for whoever comes back to it. */
const places = new Map<string, number>();

/** A list that is as long as it is: of its rows those are in the page that can be seen. */
export function TokenTable({
  tokens,
  total,
  hasMore,
  onNearEnd,
  sort,
  onSort,
  visibility,
  selection,
  view,
  isKept,
}: {
  tokens: readonly Token[];
  /** How many there are with those that were not read; undefined: nobody knows yet. */
  total: number | undefined;
  hasMore: boolean;
  onNearEnd: () => void;
  sort: Sort;
  onSort: (sort: Sort) => void;
  visibility: Record<string, boolean>;
  selection: Selection;
  view: string;
  /** Whether to begin where this view was left. */
  isKept: boolean;
}) {
  const { t } = useTranslation('inventory');
  const scroller = useRef<HTMLDivElement>(null);
  const focused = useRef<number>(undefined);
  const virtualizer = useVirtualizer({
    count: tokens.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    // Below the head, which stays.
    paddingStart: ROW_PIXELS,
    scrollPaddingStart: ROW_PIXELS,
    overscan: OVERSCAN,
    initialOffset: () => (isKept ? (places.get(view) ?? 0) : 0),
    // The row that has the focus stays, or the focus would be lost with it.
    rangeExtractor: (range: Range) => withIndex(defaultRangeExtractor(range), focused.current, tokens.length),
  });
  useLayoutEffect(
    () => () => {
      places.set(view, virtualizer.scrollOffset ?? 0);
    },
    [view, virtualizer],
  );
  const items = virtualizer.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && lastSeen >= tokens.length - AHEAD) onNearEnd();
  }, [hasMore, lastSeen, onNearEnd, tokens.length]);
  const seen = items.map(({ index }) => tokens[index] as Token);
  const columns = useMemo(() => columnsOf(t), [t]);
  // Of the rows that can be seen: a model of all would be made anew with each part that comes.
  const table = useReactTable({
    data: seen,
    columns,
    state: { columnVisibility: visibility },
    getCoreRowModel: getCoreRowModel(),
    getRowId: ({ tokenId }) => tokenId,
    // Other rows with each step of scrolling are no reason to begin anew, which would draw them again, without end.
    autoResetAll: false,
  });
  const names = table.getVisibleLeafColumns().map(({ id }) => id as ColumnName);
  const template = [CHECKBOX_PIXELS, ...names.map((name) => WIDTHS[name])];
  const rowStyle = {
    gridTemplateColumns: template
      .map((width, index) => (index === 0 ? `${width}px` : `minmax(${width}px, ${width}fr)`))
      .join(' '),
    minWidth: template.reduce((sum, width) => sum + width, 0),
    height: ROW_PIXELS,
  };
  const { choose } = selection;
  const onChoose = useCallback(
    (index: number, isRange: boolean) => choose(tokens, index, isRange),
    [choose, tokens],
  );
  const onFocus = useCallback((index: number | undefined) => {
    focused.current = index;
  }, []);
  // The cells are others when their columns are, in either way.
  const shape = useMemo(() => ({ columns, visibility }), [columns, visibility]);
  return (
    <Box ref={scroller} className="token-table" tabIndex={0} role="region" aria-label={t('table')}>
      <div
        role="table"
        aria-label={t('table')}
        aria-rowcount={total === undefined ? -1 : Math.max(total, tokens.length) + 1}
        aria-colcount={names.length + 1}
        style={{ height: virtualizer.getTotalSize(), minWidth: rowStyle.minWidth, position: 'relative' }}
      >
        <TableHead {...{ table, rowStyle, sort, onSort, selection, tokens }} />
        <div role="rowgroup">
          {table.getRowModel().rows.map((row, place) => {
            const item = items[place];
            if (!item) return null;
            const { index, start } = item;
            return (
              <TokenRow
                key={row.id}
                row={row}
                token={row.original}
                index={index}
                top={start}
                rowStyle={rowStyle}
                columns={shape}
                isChosen={selection.isAll || selection.ids.has(row.id)}
                onChoose={onChoose}
                onFocus={onFocus}
              />
            );
          })}
        </div>
      </div>
    </Box>
  );
}

function withIndex(indexes: number[], index: number | undefined, count: number): number[] {
  if (index === undefined || index >= count || indexes.includes(index)) return indexes;
  return [...indexes, index].sort((one, other) => one - other);
}
