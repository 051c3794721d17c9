import { CONSOLE_HEADERS } from './client';
import { ApiProblem } from './problem';

export type ExportFormat = 'csv' | 'ndjson';

/** An export as it is asked for; see docs/export.md. */
export interface ExportRequest {
  /** Such as `/patois/v1/audit-events/export`. */
  path: string;
  /** The filters of the list. */
  filter: Record<string, string>;
  format: ExportFormat;
  /** What the file is called, without its ending. */
  name: string;
}

/** The last line is at most so long, and in ASCII. */
const TAIL_BYTES = 4_096;
const CSV_END = /(?:^|\r\n)#end,(\d+),[^\r\n]*\r\n$/;
const NDJSON_END = /(?:^|\n)(\{"end":\{[^\n]*\}\})\n$/;

/** An export that ended before its last line: not whole, so it is not kept. */
export class BrokenExport extends Error {
  constructor() {
    super('The export broke off');
    this.name = 'BrokenExport';
  }
}

/**
 * Reads an export to its end, and saves it as a file if it is whole.
 *
 * @param onProgress told of how many bytes there are so far.
 * @returns how many rows it has.
 * @throws {ApiProblem} where the server refuses it, or does not answer; {BrokenExport} where it is not whole; the reason of
 *   the signal where it was given up.
 */
export async function saveExport(
  request: ExportRequest,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (bytes: number) => void },
): Promise<number> {
  const whole = await read(request, signal, onProgress);
  const rows = rowsOf(await whole.slice(-TAIL_BYTES).text(), request.format);
  if (rows === undefined) throw new BrokenExport();
  save(whole, `${request.name}.${request.format}`);
  return rows;
}

async function read(
  { path, filter, format }: ExportRequest,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<Blob> {
  const query = new URLSearchParams({ ...filter, format });
  const response = await fetch(`${path}?${query}`, {
    credentials: 'same-origin',
    headers: CONSOLE_HEADERS,
    signal,
  }).catch(() => {
    signal.throwIfAborted();
    throw ApiProblem.noAnswer();
  });
  if (!response.ok) throw ApiProblem.of(response, await response.json().catch(() => undefined));
  try {
    return await collect(response, onProgress);
  } catch {
    signal.throwIfAborted();
    throw new BrokenExport();
  }
}

async function collect(response: Response, onProgress: (bytes: number) => void): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    parts.push(part.value);
    bytes += part.value.length;
    onProgress(bytes);
  }
  return new Blob(parts, { type: response.headers.get('content-type') ?? 'application/octet-stream' });
}

/** How many rows the last line says there are; undefined: it is not there. */
function rowsOf(tail: string, format: ExportFormat): number | undefined {
  if (format === 'csv') {
    const rows = CSV_END.exec(tail)?.[1];
    return rows === undefined ? undefined : Number(rows);
  }
  const line = NDJSON_END.exec(tail)?.[1];
  if (line === undefined) return undefined;
  const { end } = JSON.parse(line) as { end: { rows: number } };
  return end.rows;
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has begun to save it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
