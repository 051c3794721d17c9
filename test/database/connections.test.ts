import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createDataSource } from '../../src/data-source.js';
import { postgresServer } from '../../src/database/database.js';
import { PostgresServer } from '../../src/database/postgres-server.js';

/** Lets everybody in, and says in the same breath that it is going down. */
let server: Server;
let url: string;
beforeAll(async () => {
  const welcome = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);
  const goodbye = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.concat([welcome, goodbye])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `postgres://postgres@127.0.0.1:${(server.address() as AddressInfo).port}/postgres`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** A message of PostgreSQL's protocol. */
function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

test('a connection that the server ends as it begins fails what is asked over it, and nothing else', async () => {
  const pool = new PostgresServer(url).pool({ max: 1, pipeline: true });
  const asked = pool.connect().then(async (client) => {
    try {
      return await client.query('SELECT 1');
    } finally {
      client.release(true);
    }
  });
  await expect(asked).rejects.toThrow(/connection error/);
  await pool.end();
});

test('so does one of the lists', async () => {
  await expect(createDataSource(postgresServer(url)).initialize()).rejects.toThrow(/connection error/);
});
