// Generates two clients from each OpenAPI document, as their users would: .cache/clients/<dialect>/{schema.ts,sdk/}.
import { createClient } from '@hey-api/openapi-ts';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const FOLDER = '.cache/clients';
rmSync(FOLDER, { recursive: true, force: true });

const names = readdirSync('openapi').map((file) => file.replace(/\.json$/, ''));
for (const name of names) {
  const types = await openapiTypescript(pathToFileURL(resolve('openapi', `${name}.json`)));
  mkdirSync(`${FOLDER}/${name}`, { recursive: true });
  writeFileSync(`${FOLDER}/${name}/schema.ts`, astToString(types));
}
await createClient(
  names.map((name) => ({
    input: resolve('openapi', `${name}.json`),
    output: { path: resolve(FOLDER, name, 'sdk'), importFileExtension: '.js' },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    logs: { level: 'silent', file: false },
  })),
);
