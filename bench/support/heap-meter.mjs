// Preloaded, with --expose-gc: at SIGUSR2 it writes the bytes that are in use once garbage is collected to HEAP_FILE.
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.HEAP_FILE;

process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  // Whole, or not there at all.
  writeFileSync(`${file}.new`, String(heapUsed + external));
  renameSync(`${file}.new`, file);
});
