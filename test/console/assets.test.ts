import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { buildOnce } from '../support/process.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  buildOnce();
  server = await TestServer.start();
});
afterAll(() => server.close());

async function scriptOf(page: string): Promise<string> {
  const [, script = ''] = /src="(\/console\/assets\/[^"]+\.js)"/.exec(page) ?? [];
  return script;
}

/** What fetch would decode by itself. */
async function raw(path: string, acceptEncoding: string): Promise<{ coding: string | null; body: Buffer }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(server.url + path, { headers: { 'accept-encoding': acceptEncoding } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () =>
        resolve({ coding: answer.headers['content-encoding'] ?? null, body: Buffer.concat(parts) }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('GET /console', () => {
  test.each(['/console', '/console/', '/console/tokens', '/console/a/b?c=d'])(
    '%s is the page, which no other may frame and which runs no script of its own text',
    async (path) => {
      const { status, headers, text } = await server.send('GET', path);
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['referrer-policy']).toBe('no-referrer');
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(text.match(/<script[^>]*>(?!<\/script>)/g)).toBeNull();
      expect(text).not.toMatch(/<style|\son\w+=/);
    },
  );

  test('each answer has a nonce of its own, in the header and in the page', async () => {
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const { headers, text } = await server.send('GET', '/console');
        const [, nonce = ''] = /'nonce-([\w-]{22})'/.exec(String(headers['content-security-policy'])) ?? [];
        expect(text).toContain(`nonce="${nonce}"`);
        expect(text).not.toContain('NONCE_OF_THE_ANSWER');
        return nonce;
      }),
    );
    expect(new Set(nonces).size).toBe(2);
  });

  test('the page is told whether a cookie of a session came with the request, and not which', async () => {
    const hint = async (cookie?: string): Promise<string | undefined> => {
      const { text } = await server.send(
        'GET',
        '/console',
        cookie === undefined ? {} : { headers: { cookie } },
      );
      expect(text).not.toContain('secret');
      return /<meta name="patois-session" content="([^"]*)"/.exec(text)?.[1];
    };
    expect(await hint()).toBe('none');
    expect(await hint('patois_session=secret')).toBe('present');
    expect(await hint('other=secret')).toBe('none');
  });

  test('other methods are refused', async () => {
    const { status, headers } = await server.send('POST', '/console');
    expect(status).toBe(405);
    expect(headers['allow']).toBe('GET, HEAD');
  });
});

describe('GET /console/assets/:file', () => {
  test('a script is kept for ever, and sent in the smallest form that the client takes', async () => {
    const path = await scriptOf((await server.send('GET', '/console')).text);
    const { headers, text } = await server.send('GET', path);
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['vary']).toBe('accept-encoding');
    const brotli = await raw(path, 'gzip, deflate, br');
    const gzip = await raw(path, 'gzip, br;q=0');
    const plain = await raw(path, 'br;q=0.0');
    expect([brotli.coding, gzip.coding, plain.coding]).toEqual(['br', 'gzip', null]);
    // Compared before they are shown: a difference of half a megabyte is no message.
    const forms = [brotliDecompressSync(brotli.body), gunzipSync(gzip.body), plain.body];
    expect(forms.map((form) => form.toString() === text)).toEqual([true, true, true]);
  });

  test.each([
    '/console/assets/none.js',
    '/console/assets/..%2findex.html',
    '/console/assets/..%2f..%2fsrc%2fmain.js',
  ])('%s is not there', async (path) => {
    const { status, json } = await server.send('GET', path);
    expect(status).toBe(404);
    expect(json).toMatchObject({ status: 404, detail: 'No such file' });
  });

  test('the first visit loads less than 300 kB compressed', async () => {
    const { text } = await server.send('GET', '/console');
    const files = [...text.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g)].map(
      ([, path = '']) => path,
    );
    expect(files.length).toBeGreaterThan(2);
    const sizes = await Promise.all(files.map(async (path) => (await raw(path, 'br')).body.length));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(270_000);
  });
});
