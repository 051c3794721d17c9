import { stringify } from 'csv-stringify/sync';

/** What a row is, both ways: an object of JSON, and the cells of a line. */
export interface ExportedRow {
  json: object;
  /** In the order of the columns. */
  cells: Cell[];
}

export type Cell = string | number | null;

/** How an export is written. All texts but an empty one end with a line end. */
export interface ExportFormat {
  mediaType: string;
  /** What stands before the rows. */
  head(columns: readonly string[]): string;
  rows(rows: readonly ExportedRow[]): string;
  /** What stands behind the rows, and can be taken for none: an export that lacks it is not whole. */
  trailer(columns: readonly string[], rowCount: number, asOf: Date): string;
}

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormatName = (typeof EXPORT_FORMATS)[number];

/** What a spreadsheet would run as a formula: https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

const CSV: ExportFormat = {
  // RFC 4180, 3 and RFC 7111: whether the first line is a header.
  mediaType: 'text/csv; charset=utf-8; header=present',
  head: (columns) => linesOf([[...columns]]),
  rows: (rows) => linesOf(rows.map(({ cells }) => cells.map(harmless))),
  // As many cells as every line has: strict readers take it.
  trailer: (columns, rowCount, asOf) => {
    const end = ['#end', rowCount, asOf.toISOString()];
    return linesOf([columns.map((_, index) => end[index] ?? null)]);
  },
};

const NDJSON: ExportFormat = {
  mediaType: 'application/x-ndjson',
  head: () => '',
  rows: (rows) => rows.map(({ json }) => `${JSON.stringify(json)}\n`).join(''),
  trailer: (_, rows, asOf) => `${JSON.stringify({ end: { rows, asOf } })}\n`,
};

export const FORMATS: Record<ExportFormatName, ExportFormat> = { csv: CSV, ndjson: NDJSON };

/** The library quotes what holds its own line end, and not a part of one. */
function linesOf(lines: Cell[][]): string {
  return stringify(lines, { record_delimiter: 'windows', quoted_match: /[\r\n]/ });
}

function harmless(cell: Cell): Cell {
  return typeof cell === 'string' && FORMULA.test(cell) ? `'${cell}` : cell;
}
