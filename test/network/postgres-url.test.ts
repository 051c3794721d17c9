import { describe, expect, test } from '@jest/globals';
import { parsePostgresUrl } from '../../src/network/postgres-url.js';

describe('an address of PostgreSQL', () => {
  test('of one server is left as it is, for the driver reads it', () => {
    for (const url of [
      'postgres://db/patois',
      'postgresql://u:p%40@db:5433/patois?sslmode=require',
      'postgres:///patois',
    ]) {
      expect(parsePostgresUrl(url)).toEqual({ url, hosts: [], sessions: undefined });
    }
  });

  test('of several has their hosts in order, each with its port, and is that of the first', () => {
    expect(
      parsePostgresUrl('postgres://u:p@one:5433,[2001:db8::1]:5434,three/patois?sslmode=require'),
    ).toEqual({
      url: 'postgres://u:p@one:5433/patois?sslmode=require',
      hosts: [
        { host: 'one', port: 5433 },
        { host: '2001:db8::1', port: 5434 },
        { host: 'three', port: 5432 },
      ],
      sessions: undefined,
    });
  });

  test('says which of the servers is meant, and the driver is not told', () => {
    expect(parsePostgresUrl('postgres://one,two/patois?a=b&target_session_attrs=any')).toEqual({
      url: 'postgres://one/patois?a=b',
      hosts: [
        { host: 'one', port: 5432 },
        { host: 'two', port: 5432 },
      ],
      sessions: 'any',
    });
  });

  test.each([
    'mysql://db/patois',
    'db:5432',
    'postgres://one,,two/patois',
    'postgres://one:65536,two/patois',
    'postgres://one:port,two/patois',
    'postgres://one two,three/patois',
    `postgres://${','.repeat(10)}/patois`,
  ])('is not %j', (text) => {
    expect(parsePostgresUrl(text)).toBeUndefined();
  });
});
