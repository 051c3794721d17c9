import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FolderLock, LockedError, takeLock } from './lock.js';

/** A socket address may have 107 bytes, with the terminating NUL 108. */
const LONGEST_SOCKET_PATH = 107;
const SOCKET_NAME = '.s.PGSQL.5432';

/** PostgreSQL compiled to WebAssembly, running in this process, reached by the `pg` driver over a local socket. */
export class EmbeddedPostgres {
  private constructor(
    private readonly engine: PGlite,
    private readonly server: PGLiteSocketServer,
    private readonly lock: FolderLock | undefined,
    /** The folder of the socket: what `pg` takes as `host`. */
    readonly socketFolder: string,
    private readonly isOwnFolder: boolean,
  ) {}

  /**
   * Opens the store in a folder, making both if they are not there.
   *
   * @throws {LockedError} when another process has the folder open.
   */
  static async open(dataDir: string): Promise<EmbeddedPostgres> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const folder = await realpath(dataDir);
    await chmod(folder, 0o700);
    const fits = Buffer.byteLength(join(folder, SOCKET_NAME)) <= LONGEST_SOCKET_PATH;
    if (!fits) throw new RangeError(`DATA_DIR is too long for a socket address: at most 90 bytes, absolute`);
    const lock = await lockFolder(folder);
    try {
      return await EmbeddedPostgres.serve({ dataDir: join(folder, 'postgres') }, folder, false, lock);
    } catch (problem) {
      await lock.release();
      throw problem;
    }
  }

  /** Opens a store in memory, empty or from a dump: for tests. */
  static async inMemory(dump?: Blob): Promise<EmbeddedPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'patois-'));
    return EmbeddedPostgres.serve(dump ? { loadDataDir: dump } : {}, folder, true);
  }

  private static async serve(
    options: PGliteOptions,
    folder: string,
    isOwnFolder: boolean,
    lock?: FolderLock,
  ): Promise<EmbeddedPostgres> {
    const engine = await PGlite.create(options);
    const path = join(folder, SOCKET_NAME);
    await rm(path, { force: true });
    const server = new PGLiteSocketServer({ db: engine, path, maxConnections: 1 });
    await server.start();
    return new EmbeddedPostgres(engine, server, lock, folder, isOwnFolder);
  }

  /** The whole store as one archive, which {@link inMemory} reads. */
  dump(): Promise<Blob> {
    return this.engine.dumpDataDir('none');
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.engine.close();
    await this.lock?.release();
    if (this.isOwnFolder) await rm(this.socketFolder, { recursive: true, force: true });
  }
}

async function lockFolder(folder: string): Promise<FolderLock> {
  try {
    return await takeLock(join(folder, '.lock'));
  } catch (problem) {
    if (problem instanceof LockedError) {
      throw new LockedError(
        `DATA_DIR ${folder} is in use by another Patois: stop it, or choose another DATA_DIR`,
      );
    }
    throw problem;
  }
}
