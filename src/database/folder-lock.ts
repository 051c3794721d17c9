import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, symlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Held for as long as this process may touch a folder; the kernel drops it with the process, however that ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/** Another process holds the lock. */
export class LockedError extends Error {}

/** The longest that stands behind the path of a lock, in the address of a starter's own socket. */
export const MAX_LOCK_SUFFIX = '-0123456789ab';
const ASK_AGAIN_MS = 10;
const MAX_QUESTIONS = 1_000;
/** Who is connected to and says nothing for so long may be frozen, and holds what it holds. */
const ANSWER_TIMEOUT_MS = 2_000;

/** What a starter says of itself; `leaving`: it ended while it was asked. */
type State = 'dead' | 'leaving' | 'starting' | 'holding';

/** What a failed connection says. */
const STATE_OF_ERROR: Partial<Record<string, State>> = {
  ECONNREFUSED: 'dead',
  ENOENT: 'dead',
  ECONNRESET: 'leaving',
  EPIPE: 'leaving',
};

/**
 * Takes the lock at `path`. Unlike a file with a process id, a lock that a killed process left is told from a held one
 * by the kernel, which refuses to connect to it.
 *
 * Each starter listens on a local socket of its own beside `path`, whose name is never used again, and only then looks
 * for others: of two, one at least sees the other. Who sees none alive has the lock. Who sees a holder, or a starter
 * with a lesser name, gives up; so of several at once one is left. `path` itself leads to the holder's socket.
 *
 * @throws {LockedError} when another process holds it.
 */
export async function takeLock(path: string): Promise<FolderLock> {
  const own = `${path}-${randomBytes(6).toString('hex')}`;
  let state: State = 'starting';
  const server = createServer((socket) => socket.on('error', () => {}).end(state));
  await listen(server, own);
  server.unref();
  try {
    const dead = await outlast(path, own);
    // A holder that found this socket before it was listened on has taken it for a dead one, and cleared it away.
    if (!existsSync(own)) throw new LockedError(`${path} is held by another process`);
    state = 'holding';
    for (const one of [...dead, path]) await rm(one, { force: true });
    await symlink(basename(own), path);
  } catch (error) {
    await close(server);
    throw error;
  }
  return {
    async release() {
      await rm(path, { force: true });
      await close(server);
    },
  };
}

/**
 * Waits until no other starter is alive.
 *
 * @returns the sockets that dead ones left.
 * @throws {LockedError} when another one holds the lock, or comes first.
 */
async function outlast(path: string, own: string): Promise<string[]> {
  for (let asked = 0; asked < MAX_QUESTIONS; asked += 1) {
    const others = (await readdir(dirname(path)))
      .filter((name) => name === basename(path) || name.startsWith(`${basename(path)}-`))
      .map((name) => join(dirname(path), name))
      .filter((other) => other !== own);
    const states = await Promise.all(others.map(stateOf));
    const isFirst = others.every(
      (other, index) => states[index] !== 'holding' && (states[index] !== 'starting' || other > own),
    );
    if (!isFirst) break;
    if (states.every((state) => state === 'dead')) return others;
    await sleep(ASK_AGAIN_MS);
  }
  throw new LockedError(`${path} is held by another process`);
}

/** What listens on a socket. Whoever cannot be shown to be dead, starting or leaving, holds. */
function stateOf(path: string): Promise<State> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(path);
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      socket.destroy();
      resolve('holding');
    });
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    socket.once('end', () => resolve(said === 'starting' ? 'starting' : said === '' ? 'leaving' : 'holding'));
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) =>
      resolve(STATE_OF_ERROR[code] ?? 'holding'),
    );
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
