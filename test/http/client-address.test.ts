import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clientAddress } from '../../src/http/client-address.js';
import { send } from '../support/http.js';

const PROXIES = ['10.0.0.0/8', '2001:db8:ffff::/48'];

/** What the server would make of a request from a peer with these lines of X-Forwarded-For. */
function from(peer: string | undefined, lines: string[], proxies = PROXIES): string | undefined {
  const rawHeaders = lines.flatMap((line) => ['X-Forwarded-For', line]);
  const headers = { 'x-forwarded-for': lines[0] };
  const raw = { socket: { remoteAddress: peer }, headers, rawHeaders } as unknown as IncomingMessage;
  return clientAddress({ raw }, proxies);
}

describe('where a request came from', () => {
  test('without trusted proxies it is the peer, whatever a header says', () => {
    expect(from('203.0.113.5', ['198.51.100.1'], [])).toBe('203.0.113.5');
    expect(from('10.0.0.1', ['198.51.100.1'], [])).toBe('10.0.0.1');
  });

  test('a peer that is not trusted cannot speak for others', () => {
    expect(from('203.0.113.5', ['198.51.100.1'])).toBe('203.0.113.5');
    expect(from('203.0.113.5', ['nonsense'])).toBe('203.0.113.5');
  });

  test('a trusted peer without the header is the client itself', () => {
    expect(from('10.0.0.1', [])).toBe('10.0.0.1');
    expect(from('10.0.0.1', [''])).toBe('10.0.0.1');
    expect(from('10.0.0.1', [' , ,, '])).toBe('10.0.0.1');
  });

  test('the rightmost address that is no trusted proxy wins; what a client put left of it is not looked at', () => {
    expect(from('10.0.0.1', ['198.51.100.1'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', ['192.0.2.66, 198.51.100.1'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', ['192.0.2.66, 198.51.100.1, 10.9.9.9, 10.1.1.1'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', ['10.5.5.5, 198.51.100.1'])).toBe('198.51.100.1');
  });

  test('only trusted hops: the leftmost', () => {
    expect(from('10.0.0.1', ['10.3.3.3, 10.2.2.2, 10.1.1.1'])).toBe('10.3.3.3');
  });

  test('all lines of the header are joined in order', () => {
    expect(from('10.0.0.1', ['192.0.2.66', '198.51.100.1', '10.1.1.1'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', ['198.51.100.1, 10.1.1.1', '10.2.2.2'])).toBe('198.51.100.1');
  });

  test('empty elements and white space are skipped', () => {
    expect(from('10.0.0.1', ['198.51.100.1, , 10.1.1.1,'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', [' \t198.51.100.1\t '])).toBe('198.51.100.1');
  });

  test.each([
    '198.51.100.1:4711',
    '[2001:db8::1]',
    '[2001:db8::1]:443',
    'unknown',
    '_hidden',
    '1.2.3',
    '010.1.1.1',
  ])('a hop %j that the walk reaches leaves no address', (hop) => {
    expect(from('10.0.0.1', [hop])).toBeUndefined();
    expect(from('10.0.0.1', [`198.51.100.1, ${hop}, 10.1.1.1`])).toBeUndefined();
  });

  test('a malformed hop left of the winner does no harm', () => {
    expect(from('10.0.0.1', ['nonsense, 198.51.100.1'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', ['nonsense', '198.51.100.1, 10.1.1.1'])).toBe('198.51.100.1');
  });

  test('IPv4-mapped peers and hops are IPv4', () => {
    expect(from('::ffff:10.0.0.1', ['198.51.100.1'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', ['::ffff:198.51.100.1'])).toBe('198.51.100.1');
    expect(from('10.0.0.1', ['198.51.100.1, ::ffff:10.1.1.1'])).toBe('198.51.100.1');
    expect(from('::ffff:203.0.113.5', [])).toBe('203.0.113.5');
  });

  test('IPv6 proxies and clients walk alike', () => {
    expect(from('2001:db8:ffff::1', ['2001:db8:1::7, 2001:db8:ffff:9::2'])).toBe('2001:db8:1::7');
  });

  test('a peer that is not known is no address', () => {
    expect(from(undefined, ['198.51.100.1'])).toBeUndefined();
  });
});

describe('over a real connection', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((raw, response) => {
      response.end(clientAddress({ raw }, ['127.0.0.0/8']) ?? 'no address');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('repeated header lines are read as one list', async () => {
    const headers = { 'X-Forwarded-For': ['192.0.2.66', '198.51.100.1', '127.0.0.9'] };
    expect((await send(url, 'GET', '/', { headers })).text).toBe('198.51.100.1');
    expect((await send(url, 'GET', '/')).text).toBe('127.0.0.1');
    const malformed = { 'x-forwarded-for': '198.51.100.1:99' };
    expect((await send(url, 'GET', '/', { headers: malformed })).text).toBe('no address');
  });
});
