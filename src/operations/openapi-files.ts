import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder, whether this runs from the sources or from what was built of them. */
const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)));

/** Where the checked-in documents are: `<dialect>.json`. */
export const DOCUMENTS_FOLDER = join(ROOT, 'openapi');

/** The version of Patois. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return version;
}

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));
}
