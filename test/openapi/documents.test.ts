import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { RouteTable } from '../../src/http/route-table.js';
import { PLACEHOLDER } from '../../src/openapi/examples.js';
import { DialectRegistry } from '../../src/protocol/dialect-registry.js';
import { Contract } from '../support/contract.js';
import { TestServer } from '../support/server.js';

const execute = promisify(execFile);
const DOCUMENTS = readdirSync('openapi').map((file) => basename(file, '.json'));

/** Where a second mount serves what the document has at the first. */
const ALIASES: Record<string, (path: string) => string> = {
  foreman: (path) => path.replace('/v2.en.json', '/v2.json'),
  panther: (path) => path.replace(/^\/v1\//, '/'),
};

/** Routes for people or for any method, which documents leave out or have once. */
function isUndocumented(path: string, method: string): boolean {
  const isPage = path === '/' || /^\/(docs(\/:dialect|\/assets\/:file)?|console(\/.*)?)$/.test(path);
  return isPage || method === 'HEAD' || (path.startsWith('/verify') && method !== 'GET');
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

/** `METHOD /path/{parameter}` of every route that the running server has for a document. */
function routesOf(name: string): string[] {
  const registry = server.app.nest.get(DialectRegistry);
  const documented = (path: string): string => registry.find(registry.ownerOf(path).name)?.name ?? 'patois';
  const alias = ALIASES[name] ?? ((path) => path);
  const routes = server.app.nest
    .get(RouteTable)
    .all()
    .filter(({ path }) => documented(path) === name)
    .flatMap(({ path, methods }) => {
      const template = alias(path)
        .replace(/(?<=\/):(\w+)/g, '{$1}')
        .replace(/\*$/, '{path}');
      return methods
        .filter((method) => !isUndocumented(path, method))
        .map((method) => `${method} ${template}`);
    });
  return [...new Set(routes)].sort();
}

describe.each(DOCUMENTS)('the document of %s', (name) => {
  test('is what the linter calls valid, without a warning', async () => {
    const words = ['lint', '--config', 'redocly.yaml', '--format', 'json', `openapi/${name}.json`];
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const lint = execute(process.execPath, ['node_modules/@redocly/cli/bin/cli.js', ...words], { env });
    // It ends with a code when it finds errors, and says which all the same.
    const { stdout } = await lint.catch((error: unknown) => error as { stdout: string });
    expect(JSON.parse(stdout)).toMatchObject({ problems: [], totals: { errors: 0, warnings: 0 } });
  });

  test('has every route that the server has, and no other', () => {
    expect([...Contract.of(name).operations().keys()].sort()).toEqual(routesOf(name));
  });

  test('names each operation once', () => {
    const ids = [...Contract.of(name).operations().values()].map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('names a contact, and says of every operation what it does beyond its summary and scopes', () => {
    const { info } = Contract.of(name).document;
    expect(info.contact?.name).toMatch(/./);
    const silent = [...Contract.of(name).operations().values()].filter(({ summary, description = '' }) => {
      const said = description.replace(/A token needs `[^`]+`( or `[^`]+`)*\./, '').trim();
      return said === '' || said === summary;
    });
    expect(silent.map(({ operationId }) => operationId)).toEqual([]);
  });

  test('says of every operation that asks for a credential how it is refused', () => {
    const guarded = [...Contract.of(name).operations().values()].filter(
      ({ security }) => security.length > 0,
    );
    expect(guarded.filter(({ responses }) => !responses['401'])).toEqual([]);
  });

  test('has an example of every body and answer', () => {
    const { paths } = Contract.of(name).document;
    const media = Object.values(paths).flatMap((methods) => Object.values(methods).flatMap(mediaOf));
    expect(media.filter(({ example, examples }) => example === undefined && !examples)).toEqual([]);
    expect(media.filter((one) => JSON.stringify(one.example ?? '').includes(`"${PLACEHOLDER}"`))).toEqual([]);
  });
});

interface Media {
  example?: unknown;
  examples?: unknown;
}

function mediaOf(operation: unknown): Media[] {
  const { requestBody, responses } = operation as {
    requestBody?: { content: Record<string, Media> };
    responses: Record<string, { content?: Record<string, Media> }>;
  };
  return [requestBody, ...Object.values(responses)].flatMap((holder) => Object.values(holder?.content ?? {}));
}
