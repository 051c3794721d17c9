import CliTable from 'cli-table3';
import stringWidth from 'string-width';
import { styleText } from 'node:util';
import { printable } from './printable.js';

type Style = 'green' | 'yellow' | 'red' | 'dim';

/** One column of a table, or one line of a description. */
export interface Column<Row> {
  title: string;
  /** Nothing is shown as `-`. */
  text: (row: Row) => string | number | null | undefined;
  style?: (row: Row) => Style | undefined;
  /** What is copied from a table, such as an id, is cut only where cutting all others is not enough. */
  isWhole?: boolean;
}

/** How a table is laid out. */
export interface Layout {
  /** Columns of the terminal; undefined: nothing is cut. */
  width: number | undefined;
  hasColours: boolean;
}

const GAP = '  ';
/** So much of every column stays, however narrow the terminal is. */
const MIN_WIDTH = 4;
const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
};

/** Rows below their headings, without lines around them; cells are cut where the whole is wider than the terminal. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, hasColours }: Layout,
  hasHeadings = true,
): string {
  const headings = columns.map(({ title }) => title.toUpperCase());
  const cells = rows.map((row) => columns.map((column) => textOf(column, row)));
  const natural = headings.map((heading, index) =>
    Math.max(...[heading, ...cells.map((line) => line[index] ?? '')].map((text) => stringWidth(text))),
  );
  const table = new CliTable({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colWidths: width === undefined ? natural : fitted(columns, natural, width),
    wordWrap: false,
  });
  const paint = (text: string, style: Style | 'bold' | undefined): string =>
    hasColours && style ? styleText(style, text, { validateStream: false }) : text;
  if (hasHeadings) table.push(headings.map((heading) => paint(heading, 'bold')));
  for (const [index, row] of rows.entries()) {
    table.push(columns.map(({ style }, at) => paint(cells[index]?.[at] ?? '', style?.(row))));
  }
  const lines = table.toString().split('\n');
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** One thing, a line for each of its parts; nothing is cut. */
export function renderDescription<Row>(
  parts: readonly Column<Row>[],
  row: Row,
  { hasColours }: Pick<Layout, 'hasColours'>,
): string {
  const width = Math.max(...parts.map(({ title }) => title.length));
  const lines = parts.map((part) => {
    const text = textOf(part, row);
    const style = part.style?.(row);
    const painted = hasColours && style ? styleText(style, text, { validateStream: false }) : text;
    return `${part.title.padEnd(width)}${GAP}${painted}`;
  });
  return `${lines.join('\n')}\n`;
}

function textOf<Row>({ text }: Column<Row>, row: Row): string {
  const value = text(row);
  return value === null || value === undefined || value === '' ? '-' : printable(String(value));
}

/** Takes from the widest columns until all fit. */
function fitted<Row>(columns: readonly Column<Row>[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const available = width - GAP.length * (widths.length - 1);
  let excess = widths.reduce((sum, one) => sum + one, 0) - available;
  for (const isWhole of [false, true]) {
    const isCut = (index: number): boolean => (columns[index]?.isWhole ?? false) === isWhole;
    while (excess > 0) {
      const widest = Math.max(...widths.filter((_, index) => isCut(index)));
      if (widest <= MIN_WIDTH) break;
      widths[widths.findIndex((one, index) => one === widest && isCut(index))] = widest - 1;
      excess -= 1;
    }
  }
  return widths;
}
