import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { Client } from 'pg';
import { EmbeddedPostgres } from '../../src/database/embedded.js';
import { LockedError, takeLock } from '../../src/database/folder-lock.js';
import { buildOnce } from '../support/process.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patois-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Leaves behind what a process that is killed while it holds the lock leaves behind. */
async function leaveByKill(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('held'))`;
  const holder = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
}

describe('the lock of a folder', () => {
  test('a held lock refuses a second taker', async () => {
    const path = join(folder, '.lock');
    const lock = await takeLock(path);
    await expect(takeLock(path)).rejects.toBeInstanceOf(LockedError);
    await lock.release();
  });

  test('a released lock can be taken again', async () => {
    const path = join(folder, '.lock');
    await (await takeLock(path)).release();
    const lock = await takeLock(path);
    await lock.release();
  });

  test('a lock that a killed process left does not count', async () => {
    const path = join(folder, '.lock');
    await leaveByKill(path);
    expect((await stat(path)).isSocket()).toBe(true);
    const lock = await takeLock(path);
    await expect(takeLock(path)).rejects.toBeInstanceOf(LockedError);
    await lock.release();
    expect((await readdir(folder)).filter((name) => name.startsWith('.stale-'))).toEqual([]);
  });

  test.each([2, 5])('of %i who find a dead lock at one moment, one takes it', async (starters) => {
    const path = join(folder, '.lock');
    for (let round = 0; round < 10; round += 1) {
      await leaveByKill(path);
      const outcomes = await Promise.allSettled(Array.from({ length: starters }, () => takeLock(path)));
      const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const problems = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(locks).toHaveLength(1);
      for (const problem of problems) expect(problem).toBeInstanceOf(LockedError);
      for (const lock of locks) await lock.release();
      await rm(path, { force: true });
    }
  });

  test('a released lock leaves nothing behind, and takes with it what dead ones left', async () => {
    const path = join(folder, '.lock');
    await leaveByKill(path);
    await leaveByKill(`${path}-0123456789ab`);
    await writeFile(join(folder, 'another.lock'), '');
    await (await takeLock(path)).release();
    expect(await readdir(folder)).toEqual(['another.lock']);
  });

  test('a starter with a lesser name comes first', async () => {
    const path = join(folder, '.lock');
    const other = await starter(`${path}-000000000000`);
    await expect(takeLock(path)).rejects.toBeInstanceOf(LockedError);
    await ended(other);
    await (await takeLock(path)).release();
  });

  test('a starter with a greater name is waited for: it may hold the lock already, or give up', async () => {
    const path = join(folder, '.lock');
    const losing = await starter(`${path}-zzzzzzzzzzzz`);
    const taking = takeLock(path);
    // Asked more than once: it is waited for.
    for (let count = 0; count < 3; count += 1) await once(losing, 'connection');
    await ended(losing);
    await (await taking).release();
    const winning = await starter(`${path}-zzzzzzzzzzzz`, ['starting', 'starting', 'holding']);
    await expect(takeLock(path)).rejects.toBeInstanceOf(LockedError);
    await ended(winning);
  });

  test('a starter whose socket was cleared away by a holder gives up', async () => {
    const path = join(folder, '.lock');
    const other = await starter(`${path}-zzzzzzzzzzzz`);
    const outcome = takeLock(path).catch((error: unknown) => error);
    await once(other, 'connection');
    for (const name of await readdir(folder)) {
      if (!name.endsWith('zzz')) await rm(join(folder, name));
    }
    await ended(other);
    expect(await outcome).toBeInstanceOf(LockedError);
  });

  test('who can be connected to and says nothing holds the lock', async () => {
    const path = join(folder, '.lock');
    const frozen = createServer((socket) => socket.on('error', () => {})).listen(`${path}-zzzzzzzzzzzz`);
    await once(frozen, 'listening');
    await expect(takeLock(path)).rejects.toBeInstanceOf(LockedError);
    await ended(frozen);
  });

  test('a holder says so at the path of the lock, and whoever listens there is one', async () => {
    const path = join(folder, '.lock');
    const lock = await takeLock(path);
    expect(await readText(connect(path))).toBe('holding');
    await lock.release();
    const older = await starter(path, ['22222222-2222-4222-8222-222222222222']);
    await expect(takeLock(path)).rejects.toBeInstanceOf(LockedError);
    await ended(older);
  });

  /** Somebody who listens beside the lock and says these things of itself, the last of them over and over. */
  async function starter(path: string, sayings = ['starting']): Promise<Server> {
    const server = createServer((socket) => {
      const [saying = ''] = sayings.length > 1 ? sayings.splice(0, 1) : sayings;
      socket.on('error', () => {}).end(saying);
    });
    server.listen(path);
    await once(server, 'listening');
    return server;
  }

  function ended(server: Server): Promise<unknown> {
    return new Promise((resolve) => server.close(resolve));
  }
});

describe('processes that find a dead lock at one moment', () => {
  /** Takes the lock at each path that it is told, and says what came of it; releases it at every other message. */
  const PROGRAM = `
    import { LockedError, takeLock } from './dist/src/database/folder-lock.js';
    let lock;
    process.on('message', async ({ path }) => {
      if (path === undefined) {
        await lock?.release();
        lock = undefined;
        process.send('released');
        return;
      }
      try {
        lock = await takeLock(path);
        process.send('taken');
      } catch (error) {
        process.send(error instanceof LockedError ? 'locked' : String(error));
      }
    });
    process.send('ready');`;

  beforeAll(buildOnce, 120_000);

  test.each([2, 8])(
    'of %i one takes it, and holds it',
    async (count) => {
      const path = join(folder, '.lock');
      const program = ['--input-type=module', '-e', PROGRAM];
      const starters = Array.from({ length: count }, () =>
        spawn(process.execPath, program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
      );
      const told = (message: object): Promise<string[]> =>
        Promise.all(
          starters.map((starter) => {
            const answer = once(starter, 'message').then(([said]) => said as string);
            starter.send(message);
            return answer;
          }),
        );
      try {
        await Promise.all(starters.map((starter) => once(starter, 'message')));
        for (let round = 0; round < 20; round += 1) {
          await leaveByKill(path);
          const said = await told({ path });
          expect(said.toSorted()).toEqual([...Array<string>(count - 1).fill('locked'), 'taken']);
          await expect(takeLock(path)).rejects.toBeInstanceOf(LockedError);
          await told({});
          await rm(path, { force: true });
        }
      } finally {
        for (const starter of starters) starter.kill('SIGKILL');
      }
    },
    120_000,
  );
});

describe('the folder of an embedded database', () => {
  async function ask(engine: EmbeddedPostgres, sql: string): Promise<unknown[]> {
    const client = new Client({
      host: engine.socketFolder,
      port: 5432,
      user: 'postgres',
      database: 'postgres',
    });
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows;
  }

  test('a path too long for a socket address serves all the same, and only one process', async () => {
    const long = join(folder, 'x'.repeat(120), 'data');
    const engine = await EmbeddedPostgres.open(long);
    const { socketFolder } = engine;
    await expect(EmbeddedPostgres.open(long)).rejects.toThrow(`DATA_DIR ${long} is in use by another Patois`);
    await ask(engine, 'CREATE TABLE kept (n int)');
    await engine.close();
    await expect(stat(socketFolder)).rejects.toThrow('ENOENT');
    const again = await EmbeddedPostgres.open(long);
    expect(await ask(again, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }]);
    expect((await stat(long)).mode & 0o777).toBe(0o700);
    await again.close();
  });

  test('one folder by two names is one folder', async () => {
    const name = join(folder, 'data');
    const engine = await EmbeddedPostgres.open(name);
    const alias = join(folder, 'alias');
    await symlink(name, alias);
    await expect(EmbeddedPostgres.open(alias)).rejects.toBeInstanceOf(LockedError);
    await engine.close();
  });
});
