import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { TestServer } from '../support/server.js';

const DOCUMENTS = readdirSync('openapi').map((file) => basename(file, '.json'));

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

describe('GET /docs', () => {
  test('lists every document to anybody, as a page that may load nothing from elsewhere', async () => {
    const { status, headers, text } = await server.send('GET', '/docs');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    );
    for (const name of DOCUMENTS) expect(text).toContain(`href="/docs/${name}/openapi.json"`);
  });
});

describe.each(DOCUMENTS)('GET /docs/%s', (name) => {
  test('gives the document as it is checked in', async () => {
    const { status, headers, json } = await server.send('GET', `/docs/${name}/openapi.json`);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(json).toEqual(JSON.parse(readFileSync(`openapi/${name}.json`, 'utf8')));
  });

  test('shows it on a page whose every part this server has', async () => {
    const { status, headers, text } = await server.send('GET', `/docs/${name}`);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).not.toContain('unsafe');
    const parts = [...text.matchAll(/(?:src|href|data-url)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(parts).toHaveLength(6);
    for (const part of parts) expect([part, (await server.send('GET', part)).status]).toEqual([part, 200]);
  });
});

describe('what is not there below /docs', () => {
  test.each([
    '/docs/nothing',
    '/docs/nothing/openapi.json',
    '/docs/assets/nothing.js',
    '/docs/assets/constructor',
    '/docs/a/b/c',
  ])('%s is a problem in JSON', async (path) => {
    const { status, headers, json } = await server.send('GET', path);
    expect([status, headers['content-type']]).toEqual([
      404,
      expect.stringMatching(/^application\/problem\+json/),
    ]);
    expect(json).toMatchObject({ title: 'Not Found', status: 404 });
  });

  test('no other file can be had by way of the assets', async () => {
    const { status } = await server.send('GET', '/docs/assets/..%2Fpackage.json');
    expect(status).toBe(404);
  });
});

test('a server with a public address names it in its documents', async () => {
  const other = await TestServer.start({ publicUrl: 'https://tokens.example/patois' });
  const { json } = await other.send('GET', '/docs/panther/openapi.json');
  await other.close();
  expect(json.servers).toEqual([
    { url: 'https://tokens.example/patois' },
    { url: 'https://tokens.example/patois/v1' },
  ]);
});
