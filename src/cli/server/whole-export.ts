import { CommandError, EXIT } from '../exit.js';

export type ExportFormat = 'ndjson' | 'csv';

const LINE_END = 0x0a;
const QUOTE = 0x22;
/** The last line is shorter, whatever the columns. */
const MAX_BYTES = 1_024;

/** How each format ends, as docs/export.md has it, and how many of its other lines are no rows. */
const ENDS = {
  ndjson: { pattern: /^\{"end":\{"rows":(\d+),"asOf":"([^"]+)"\}\}$/, headings: 0 },
  csv: { pattern: /^#end,(\d+),([^,]+),*\r$/, headings: 1 },
} as const;

/** Looks at an export as it passes by: without its last line it is not whole. */
export class WholeExport {
  private lines = 0;
  /** A line end in quotes is a part of its cell. */
  private isQuoted = false;
  private lastLine = '';
  /** What has come of the line that has not ended. */
  private begun = '';

  constructor(private readonly format: ExportFormat) {}

  take(bytes: Uint8Array): void {
    const hasQuotes = this.format === 'csv';
    let begin = 0;
    let lastBegin = -1;
    for (let place = 0; place < bytes.length; place += 1) {
      const byte = bytes[place];
      if (byte === QUOTE && hasQuotes) this.isQuoted = !this.isQuoted;
      if (byte !== LINE_END || this.isQuoted) continue;
      this.lines += 1;
      lastBegin = begin;
      begin = place + 1;
    }
    if (lastBegin >= 0) {
      this.lastLine = (lastBegin === 0 ? this.begun : '') + textOf(bytes.subarray(lastBegin, begin - 1));
      this.begun = '';
    }
    this.begun = (this.begun + textOf(bytes.subarray(begin))).slice(0, MAX_BYTES);
  }

  /** How many rows have come, as far as can be told before the end. */
  get rows(): number {
    return Math.max(0, this.lines - ENDS[this.format].headings);
  }

  /** @throws {CommandError} where what came is not all there is. */
  end(): { rows: number; asOf: string } {
    const { pattern } = ENDS[this.format];
    const [, count, asOf] = pattern.exec(this.lastLine) ?? [];
    const came = this.rows - 1;
    if (count === undefined || asOf === undefined || this.begun !== '') {
      throw new CommandError('The export is not whole: its last line is missing', EXIT.failed);
    }
    if (Number(count) !== came) {
      throw new CommandError(`The export is not whole: ${came} rows came of ${count}`, EXIT.failed);
    }
    return { rows: came, asOf };
  }
}

/** Of the last line all characters are ASCII. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, MAX_BYTES)).toString('latin1');
}
