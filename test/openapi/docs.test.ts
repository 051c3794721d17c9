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

describe('GET /', () => {
  test('shows people where they go on, and every API with its paths', async () => {
    const { status, headers, text } = await server.send('GET', '/');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const { headers: docs } = await server.send('GET', '/docs');
    expect(headers['content-security-policy']).toBe(docs['content-security-policy']);
    expect(text).toContain('<title>Patois</title>');
    const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(links).toEqual(
      expect.arrayContaining(['/console', '/docs', ...DOCUMENTS.map((name) => `/docs/${name}`)]),
    );
    for (const link of links.filter((path) => path !== '/console')) {
      expect([link, (await server.send('GET', link)).status]).toEqual([link, 200]);
    }
    for (const path of [
      '/api',
      '/apidoc',
      '/api/v1',
      '/oapi/v1/platform',
      '/api-tokens',
      '/me',
      '/patois/v1',
    ]) {
      expect(text).toContain(`<code>${path}</code>`);
    }
  });

  test('is no page of a client of Quay that looks for its token in one', async () => {
    // `authenticate` of the Ansible collection asks for `/` where `/csrf_token` has none.
    expect((await server.send('GET', '/csrf_token')).json).toEqual({ csrf_token: expect.any(String) });
    expect((await server.send('GET', '/')).text).not.toContain('__token');
  });

  test('is for GET and HEAD: all else, and what is not there, is a problem as before', async () => {
    expect((await server.send('HEAD', '/')).status).toBe(200);
    expect((await server.send('POST', '/', { body: {} })).status).toBe(405);
    const { status, json } = await server.send('GET', '/nothing');
    expect([status, json.title]).toEqual([404, 'Not Found']);
  });
});

describe('GET /docs', () => {
  test('lists every document to anybody, as a page that may load nothing from elsewhere', async () => {
    const { status, headers, text } = await server.send('GET', '/docs');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    );
    for (const name of DOCUMENTS) expect(text).toContain(`href="/docs/${name}/openapi.json"`);
    for (const path of ['/', '/console']) expect(text).toContain(`href="${path}"`);
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
