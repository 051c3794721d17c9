import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FolderLock, LockedError, MAX_LOCK_SUFFIX, takeLock } from './folder-lock.js';

/** A socket address may have 107 bytes, with the terminating NUL 108; macOS knows only 104. */
const MAX_SOCKET_PATH_BYTES = 103;
const SOCKET_NAME = '.s.PGSQL.5432';
const LOCK_NAME = '.lock';
/** What stands behind the folder in the longest address here: that of a starter's own socket. */
const MAX_NAME_LENGTH = `/${LOCK_NAME}${MAX_LOCK_SUFFIX}`;

/** A folder of sockets, as it is addressed. */
interface SocketFolder {
  path: string;
  /** Made for this process alone and removed with it. */
  temporary?: string;
}

/** PostgreSQL compiled to WebAssembly, running in this process, reached by the `pg` driver over a local socket. */
export class EmbeddedPostgres {
  private constructor(
    private readonly engine: PGlite,
    private readonly server: PGLiteSocketServer,
    private readonly lock: FolderLock | undefined,
    private readonly folder: SocketFolder,
  ) {}

  /** The folder of the socket: what `pg` takes as `host`. */
  get socketFolder(): string {
    return this.folder.path;
  }

  /**
   * Opens the store in a folder, making both if they are not there.
   *
   * @throws {LockedError} when another process has the folder open.
   */
  static async open(dataDir: string): Promise<EmbeddedPostgres> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const folder = await realpath(dataDir);
    await chmod(folder, 0o700);
    const sockets = await addressable(folder);
    let lock: FolderLock | undefined;
    try {
      lock = await lockFolder(folder, sockets);
      return await EmbeddedPostgres.serve({ dataDir: join(folder, 'postgres') }, sockets, lock);
    } catch (error) {
      await lock?.release();
      await removeTemporary(sockets);
      throw error;
    }
  }

  /** Opens a store in memory, empty or from a dump (`loadDataDir`): for tests. It has few buffers, and is there sooner. */
  static async inMemory(options: PGliteOptions = {}): Promise<EmbeddedPostgres> {
    const path = await mkdtemp(join(tmpdir(), 'patois-'));
    const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];
    return EmbeddedPostgres.serve({ ...options, startParams }, { path, temporary: path });
  }

  private static async serve(
    options: PGliteOptions,
    folder: SocketFolder,
    lock?: FolderLock,
  ): Promise<EmbeddedPostgres> {
    const engine = await PGlite.create({ ...options, extensions: { pg_trgm } });
    const path = join(folder.path, SOCKET_NAME);
    await rm(path, { force: true });
    const server = new PGLiteSocketServer({ db: engine, path, maxConnections: 1 });
    await server.start();
    return new EmbeddedPostgres(engine, server, lock, folder);
  }

  /** The whole store as one archive, which {@link inMemory} reads. */
  dump(): Promise<Blob> {
    return this.engine.dumpDataDir('none');
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.engine.close();
    await this.lock?.release();
    await removeTemporary(this.folder);
  }
}

/**
 * A folder by a path that leaves room for the names of its sockets: its own, or a link in a private folder. Only the
 * address is short then; lock and socket lie in the folder itself, so that whoever takes another way finds them too.
 */
async function addressable(folder: string): Promise<SocketFolder> {
  if (Buffer.byteLength(folder + MAX_NAME_LENGTH) <= MAX_SOCKET_PATH_BYTES) return { path: folder };
  const temporary = await mkdtemp(join(tmpdir(), 'patois-'));
  const path = join(temporary, 'd');
  await symlink(folder, path);
  return { path, temporary };
}

async function removeTemporary({ temporary }: SocketFolder): Promise<void> {
  if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
}

async function lockFolder(folder: string, { path }: SocketFolder): Promise<FolderLock> {
  try {
    return await takeLock(join(path, LOCK_NAME));
  } catch (error) {
    if (error instanceof LockedError) {
      throw new LockedError(
        `DATA_DIR ${folder} is in use by another Patois: stop it, or choose another DATA_DIR`,
      );
    }
    throw error;
  }
}
