import { mkdtemp, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';

/** Held for as long as this process may touch a folder; the kernel drops it with the process, however that ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/** Another process holds the lock. */
export class LockedError extends Error {}

/**
 * Takes the lock at `path`, a local socket that its holder listens on. Unlike a file with a process id, a lock that a
 * killed process left is told from a held one by the kernel, which refuses to connect to it.
 *
 * @throws {LockedError} when another process holds it.
 */
export async function takeLock(path: string): Promise<FolderLock> {
  if (await isListening(path)) throw new LockedError(`${path} is held by another process`);
  await clearAway(path);
  const server = createServer((socket) => socket.destroy());
  await listen(server, path);
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Moves a dead socket out of the way. Should a second starter have revived it in between, it is put back. */
async function clearAway(path: string): Promise<void> {
  const aside = await mkdtemp(join(dirname(path), '.stale-'));
  const moved = join(aside, 's');
  try {
    await rename(path, moved);
    if (await isListening(moved)) {
      await rename(moved, path);
      throw new LockedError(`${path} is held by another process`);
    }
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== 'ENOENT') throw problem;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
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
