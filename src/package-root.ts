import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder, whether this runs from the sources or from what was built of them. */
const PACKAGE_ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)));

/** Where the checked-in OpenAPI documents are: `<dialect>.json`. */
export const DOCUMENTS_FOLDER = join(PACKAGE_ROOT, 'openapi');

/** Where the built console is. */
export const CONSOLE_FOLDER = join(PACKAGE_ROOT, 'dist/console');

export const PACKAGE_FILE = join(PACKAGE_ROOT, 'package.json');

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));
}
