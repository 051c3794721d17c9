import type { PGliteOptions } from '@electric-sql/pglite';

declare global {
  /** What the files of a worker share (`environment.mjs`). */
  const patoisTest: {
    engineModules: () => Promise<Pick<PGliteOptions, 'initdbWasmModule' | 'pgliteWasmModule'>>;
    blobOf: (path: string) => Blob;
  };
}
