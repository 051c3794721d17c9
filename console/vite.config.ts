import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Smaller files are not worth a second answer. */
const LEAST_COMPRESSED_BYTES = 1_024;
const TEXT = /\.(js|css|svg)$/;

/** Writes each text file compressed beside itself, so that no request waits for that. */
function compressed(): Plugin {
  let folder = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved({ root, build: { outDir, assetsDir } }) {
      folder = resolve(root, outDir, assetsDir);
    },
    // When all is written: until then names of other files are still put in.
    closeBundle() {
      for (const name of readdirSync(folder).filter((one) => TEXT.test(one))) {
        const path = join(folder, name);
        const source = readFileSync(path);
        if (source.length < LEAST_COMPRESSED_BYTES) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(source));
        writeFileSync(`${path}.gz`, gzipSync(source, { level: 9 }));
      }
    },
  };
}

// A test run says otherwise, and would get React as it is for development.
process.env['NODE_ENV'] = 'production';

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  plugins: [react(), compressed()],
  // The server puts a fresh value in for each answer (src/console/assets).
  html: { cspNonce: 'NONCE_OF_THE_ANSWER' },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the page lets no data: address load a script or a style.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
  },
  // `npm run dev -w console` beside a running Patois.
  server: { proxy: { '^/(patois|console/sign-in/.+)': 'http://127.0.0.1:3000' } },
});
