import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Held for as long as this process may touch a folder; the kernel drops it with the process, however that ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/** Another process holds the lock. */
export class LockedError extends Error {}

/** Longer than another starter takes to see that what it moved aside is alive, and to put it back. */
const TAKEOVER_MS = 100;

/**
 * Takes the lock at `path`, a local socket that its holder listens on. Unlike a file with a process id, a lock that a
 * killed process left is told from a held one by the kernel, which refuses to connect to it.
 *
 * @throws {LockedError} when another process holds it.
 */
export async function takeLock(path: string): Promise<FolderLock> {
  if ((await holderOf(path)) !== undefined) throw new LockedError(`${path} is held by another process`);
  const isTakeover = existsSync(path);
  await clearAway(path);
  const name = randomUUID();
  const server = createServer((socket) => socket.on('error', () => {}).end(name));
  await listen(server, path);
  server.unref();
  const lock = { release: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  if (!isTakeover) return lock;
  // Several who find one dead lock may get in each other's way: who holds the path in the end is who has the lock.
  await sleep(TAKEOVER_MS);
  if ((await holderOf(path)) === name) return lock;
  server.close();
  throw new LockedError(`${path} is held by another process`);
}

/** Moves a dead socket out of the way. Should a second starter have revived it in between, it is put back. */
async function clearAway(path: string): Promise<void> {
  const aside = await mkdtemp(join(dirname(path), '.stale-'));
  const moved = join(aside, 's');
  try {
    await rename(path, moved);
    if ((await holderOf(moved)) !== undefined) {
      await rename(moved, path);
      throw new LockedError(`${path} is held by another process`);
    }
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== 'ENOENT') throw problem;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** What the holder calls itself; undefined when nobody listens. */
function holderOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let name = '';
    const socket = connect(path);
    socket.on('data', (chunk: Buffer) => (name += chunk.toString()));
    socket.once('end', () => resolve(name));
    socket.once('error', () => resolve(undefined));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (problem: NodeJS.ErrnoException) =>
      reject(problem.code === 'EADDRINUSE' ? new LockedError(`${path} is held by another process`) : problem),
    );
    server.listen(path, resolve);
  });
}
