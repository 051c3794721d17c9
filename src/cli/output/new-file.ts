import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { usageError } from '../exit.js';

/** A file that is there whole or not at all: until it is whole it has another name beside its own. */
export class NewFile {
  private constructor(
    private readonly path: string,
    private readonly partial: string,
    private readonly handle: FileHandle,
  ) {}

  /** @throws {CommandError} for what is there and is no file, and where nothing can be written. */
  static async at(path: string): Promise<NewFile> {
    const stats = await stat(path).catch(() => undefined);
    if (stats && !stats.isFile()) throw usageError(`${path} is not a file`);
    // What a link leads to is replaced, not the link.
    const target = stats ? await realpath(path) : path;
    const partial = `${target}.${randomBytes(6).toString('hex')}.part`;
    const handle = await open(partial, 'wx').catch(({ code }: NodeJS.ErrnoException) => {
      throw usageError(`${path} cannot be written: ${code}`);
    });
    return new NewFile(target, partial, handle);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.handle.appendFile(bytes);
  }

  /** Gives it its name, which from then on means this file and no other. */
  async keep(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    await rename(this.partial, this.path);
  }

  async discard(): Promise<void> {
    await this.handle.close();
    await rm(this.partial, { force: true });
  }
}
