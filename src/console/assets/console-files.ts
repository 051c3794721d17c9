import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { CONSOLE_FOLDER } from '../../package-root.js';

/** By the end of the name: all that the build makes. */
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** The compressed forms that the build writes beside a file, the smallest first. */
const ENCODINGS = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const;

/** A file of the console as it is sent. */
export interface ConsoleFile {
  type: string;
  /** By content coding; `identity` is always there. */
  forms: ReadonlyMap<string, Buffer>;
}

/** What `vite build` has made: the page and its files, in memory. They are some hundred kilobytes. */
export class ConsoleFiles {
  private constructor(
    /** The page, with a placeholder for the nonce; undefined: the console was not built. */
    readonly page: string | undefined,
    private readonly files: ReadonlyMap<string, ConsoleFile>,
  ) {}

  static read(folder = CONSOLE_FOLDER): ConsoleFiles {
    const page = join(folder, 'index.html');
    if (!existsSync(page)) return new ConsoleFiles(undefined, new Map());
    const assets = join(folder, 'assets');
    const names = readdirSync(assets);
    const files = names.flatMap((name): [string, ConsoleFile][] => {
      const type = TYPES[extname(name)];
      if (type === undefined) return [];
      const compressed = ENCODINGS.filter(({ ending }) => names.includes(name + ending));
      const forms = compressed.map(({ name: coding, ending }): [string, Buffer] => [
        coding,
        readFileSync(join(assets, name + ending)),
      ]);
      return [[name, { type, forms: new Map([...forms, ['identity', readFileSync(join(assets, name))]]) }]];
    });
    return new ConsoleFiles(readFileSync(page, 'utf8'), new Map(files));
  }

  find(name: string): ConsoleFile | undefined {
    return this.files.get(name);
  }
}

/**
 * The form of a file for an `Accept-Encoding` (RFC 9110, 12.5.3): the smallest that it names without `q=0`.
 *
 * @param accepted the header; undefined: none was sent.
 */
export function formFor({ forms }: ConsoleFile, accepted = ''): { coding: string; body: Buffer } {
  const named = accepted
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((word) => word.trim()))
    .filter(([, weight]) => weight === undefined || !/^q=0(\.0*)?$/.test(weight))
    .map(([coding]) => coding);
  const [coding, body] = [...forms].find(([one]) => one === 'identity' || named.includes(one)) ?? [];
  if (coding === undefined || body === undefined) throw new Error('A file has no form');
  return { coding, body };
}
