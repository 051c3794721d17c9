import { TestEnvironment } from 'jest-environment-node';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const dist = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
let engineModules;
const files = new Map();

/** A Blob that has its bytes at hand, where Node.js would copy them at every reading. */
class FileBlob extends Blob {
  #bytes;

  constructor(bytes) {
    super();
    this.#bytes = bytes;
  }

  async arrayBuffer() {
    return this.#bytes.buffer;
  }
}

/**
 * Node.js as a test file of Jest sees it. Each file loads all modules anew; what is large and never changes is loaded
 * here, once for all files of a worker: `globalThis.patoisTest`.
 */
export default class extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global.patoisTest = {
      /** The embedded engine, compiled: options of `PGlite.create`. */
      engineModules: async () => {
        const modules = await (engineModules ??= compile());
        // Whoever asks whether they are modules asks its own WebAssembly.
        const { prototype } = this.global.WebAssembly.Module;
        for (const module of Object.values(modules)) Object.setPrototypeOf(module, prototype);
        return modules;
      },
      /** A file that never changes. */
      blobOf: (path) => {
        const blob = files.get(path) ?? new FileBlob(new Uint8Array(readFileSync(path)));
        files.set(path, blob);
        return blob;
      },
    };
  }
}

async function compile() {
  const [pgliteWasmModule, initdbWasmModule] = await Promise.all(
    ['pglite.wasm', 'initdb.wasm'].map((name) => WebAssembly.compile(readFileSync(join(dist, name)))),
  );
  return { pgliteWasmModule, initdbWasmModule };
}
