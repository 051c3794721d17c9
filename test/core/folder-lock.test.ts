import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { EmbeddedPostgres } from '../../src/database/embedded.js';
import { LockedError, takeLock } from '../../src/database/lock.js';

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

  test.each([2, 5])('of %i who find a dead lock at one moment, one at most takes it', async (starters) => {
    const path = join(folder, '.lock');
    for (let round = 0; round < 10; round += 1) {
      await leaveByKill(path);
      const outcomes = await Promise.allSettled(Array.from({ length: starters }, () => takeLock(path)));
      const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const problems = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(locks.length).toBeLessThanOrEqual(1);
      for (const problem of problems) expect(problem).toBeInstanceOf(LockedError);
      for (const lock of locks) await lock.release();
      await rm(path, { force: true });
    }
  });
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
