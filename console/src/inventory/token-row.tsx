import { flexRender, type Row } from '@tanstack/react-table';
import { type CSSProperties, memo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Token } from './queries';

interface TokenRowProps {
  row: Row<Token>;
  token: Token;
  /** Its place in the whole list, from 0. */
  index: number;
  /** In pixels. */
  top: number;
  rowStyle: CSSProperties;
  /** What its cells are made by. */
  columns: unknown;
  isChosen: boolean;
  onChoose: (index: number, isRange: boolean) => void;
  onFocus: (index: number | undefined) => void;
}

/** One token; drawn again only when something of it has changed. */
export const TokenRow = memo(Shown, (one, other) => {
  const names = ['token', 'index', 'top', 'columns', 'isChosen', 'onChoose'] as const;
  return names.every((name) => one[name] === other[name]);
});

function Shown({ row, token, index, top, rowStyle, isChosen, onChoose, onFocus }: TokenRowProps) {
  const { t } = useTranslation('inventory');
  const isRange = useRef(false);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-chosen={isChosen || undefined}
      className="token-row"
      style={{ ...rowStyle, transform: `translateY(${top}px)` }}
      onFocus={() => onFocus(index)}
      onBlur={() => onFocus(undefined)}
    >
      <div role="cell" className="token-cell">
        <input
          type="checkbox"
          checked={isChosen}
          aria-label={t('choose', { name: token.name })}
          onClick={(event) => {
            isRange.current = event.shiftKey;
          }}
          onChange={() => onChoose(index, isRange.current)}
        />
      </div>
      {row.getVisibleCells().map((cell) => (
        <div role="cell" className="token-cell" key={cell.id}>
          {flexRender(cell.column.columnDef.cell, cell.getContext())}
        </div>
      ))}
    </div>
  );
}
