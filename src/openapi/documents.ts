import type { OpenAPIObject } from '@nestjs/swagger';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DOCUMENTS_FOLDER, PACKAGE_FILE } from '../package-root.js';

/** The version of Patois. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string };
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
