import { parse } from 'csv-parse';
import { Readable } from 'node:stream';
import type { ImportedTokenBody } from '../../administration/imports/imports.dto.js';
import { usageError } from '../exit.js';
import type { OnWire } from '../server/api.js';
import { linesOf } from './text-file.js';

export type ImportFormat = 'ndjson' | 'csv';
type Body = OnWire<ImportedTokenBody>;

/** A token of a file, and the line that it begins at; or what is wrong with that. */
export type ImportRow = { line: number } & ({ body: Partial<Body> } | { complaint: string });

/** As one call has no more than this, nor can one token. */
const LONGEST = 524_288;

/** Which key a column is; docs/import.md lists both. */
const KEYS = new Map<string, keyof Body | 'prefix' | 'suffix'>([
  ['dialect', 'dialect'],
  ['owner', 'owner'],
  ['name', 'name'],
  ['hash', 'hash'],
  ['description', 'description'],
  ['scopes', 'scopes'],
  ['allowed_cidrs', 'allowedCidrs'],
  ['expires_at', 'expiresAt'],
  ['created_at', 'createdAt'],
  ['last_used_at', 'lastUsedAt'],
  ['foreign_id', 'foreignId'],
  ['visible_prefix', 'prefix'],
  ['visible_suffix', 'suffix'],
]);
const REQUIRED = ['dialect', 'owner', 'name', 'hash'];
const LISTS = new Set(['scopes', 'allowedCidrs']);

/**
 * The tokens of a file, in its order, one at a time. What a line holds is never repeated: it may be a hash.
 *
 * @throws {CommandError} where what follows cannot be understood.
 */
export function tokensOf(pieces: AsyncIterable<string>, format: ImportFormat): AsyncGenerator<ImportRow> {
  return format === 'csv' ? fromCsv(pieces) : fromLines(pieces);
}

async function* fromLines(pieces: AsyncIterable<string>): AsyncGenerator<ImportRow> {
  for await (const { line, text } of linesOf(pieces, LONGEST)) {
    const body = objectOf(text);
    yield body ? { line, body } : { line, complaint: 'it is not an object of JSON' };
  }
}

function objectOf(text: string): Partial<Body> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function* fromCsv(pieces: AsyncIterable<string>): AsyncGenerator<ImportRow> {
  const parser = parse({
    raw: true,
    // Told with its line, and the others go on.
    relax_column_count: true,
    max_record_size: LONGEST,
  });
  const source = Readable.from(pieces);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let keys: string[] | undefined;
  // The parser's own count goes wrong where cells have several lines.
  let line = 1;
  try {
    for await (const { record: cells, raw } of parser as AsyncIterable<CsvRecord>) {
      const text = raw.replace(/[\r\n]+$/, '');
      const begin = line;
      line += text.split('\n').length;
      if (text.trim() === '') continue;
      if (!keys) {
        keys = keysOf(cells);
        continue;
      }
      yield cells.length === keys.length
        ? { line: begin, body: bodyOf(keys, cells) }
        : { line: begin, complaint: `it has ${cells.length} cells, and the header ${keys.length}` };
    }
  } catch (error) {
    const { code = '', lines } = error as { code?: string; lines?: number };
    // Its own words repeat what it stumbled over.
    if (!code.startsWith('CSV_')) throw error;
    throw usageError(`Near line ${lines}: not comma-separated values as RFC 4180 has them (${code})`);
  } finally {
    source.destroy();
  }
  if (!keys) throw usageError('The file is empty: it must have a line of column names');
}

interface CsvRecord {
  record: string[];
  raw: string;
}

/** @throws {CommandError} for a column that is not known: it must not be left out in silence. */
function keysOf(columns: readonly string[]): string[] {
  const unknown = columns.findIndex((column) => !KEYS.has(column));
  if (unknown >= 0) throw usageError(`Column ${unknown + 1} has no name that docs/import.md lists`);
  const missing = REQUIRED.filter((column) => !columns.includes(column));
  if (missing.length > 0) throw usageError(`The column ${missing.join(', ')} is missing`);
  if (new Set(columns).size < columns.length) throw usageError('A column is there twice');
  return columns.map((column) => KEYS.get(column) ?? '');
}

function bodyOf(keys: readonly string[], cells: readonly string[]): Partial<Body> {
  const given = keys.flatMap((key, place): [string, string][] => {
    const cell = cells[place] ?? '';
    return cell === '' ? [] : [[key, cell]];
  });
  const { prefix, suffix, ...texts } = Object.fromEntries(given);
  const body = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, LISTS.has(key) ? text.split(/ +/) : text]),
  );
  if (prefix === undefined && suffix === undefined) return body;
  return { ...body, visible: { ...(prefix && { prefix }), ...(suffix && { suffix }) } };
}
