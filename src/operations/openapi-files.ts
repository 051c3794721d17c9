import type { OpenAPIObject } from '@nestjs/swagger';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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

/**
 * The checked-in documents by name, in the order of their names.
 *
 * @param publicUrl the address clients know this server by, if it has one; else paths count from the server's root.
 */
export function readDocuments(publicUrl = ''): Map<string, OpenAPIObject> {
  const files = readdirSync(DOCUMENTS_FOLDER).filter((file) => file.endsWith('.json'));
  return new Map(
    files.sort().map((file) => {
      const document = JSON.parse(readFileSync(join(DOCUMENTS_FOLDER, file), 'utf8')) as OpenAPIObject;
      const servers = document.servers?.map(({ url }) => ({
        url: `${publicUrl}${url}`.replace(/(.)\/$/, '$1'),
      }));
      return [basename(file, '.json'), { ...document, servers }];
    }),
  );
}

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));
}
