import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, ServerProcess } from './processes.mjs';

const DIST = new URL('../../dist/', import.meta.url);
const MAIN = fileURLToPath(new URL('server/main.js', DIST));

/** A ring of one key, as `TOKEN_KEYS` wants it. */
export function makeTokenKeys() {
  return `bench:${randomBytes(32).toString('base64')}`;
}

/**
 * Starts the built Patois on a store. Several may run on one, as replicas do.
 *
 * @param store `{ url, tokenKeys }`.
 * @param settings more of its environment.
 */
export async function startPatois(name, { url, tokenKeys }, settings = {}, nodeOptions = []) {
  if (!existsSync(MAIN)) throw new Error('Patois is not built: npm run build, in the folder above');
  return ServerProcess.start(
    name,
    MAIN,
    {
      NODE_ENV: 'production',
      PORT: String(await freePort()),
      DATABASE_URL: url,
      TOKEN_KEYS: tokenKeys,
      ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
      BCRYPT_COST: '4',
      ...settings,
    },
    nodeOptions,
  );
}

/** Imports a module of the built Patois, by its path below `src`. */
export function fromPatois(path) {
  return import(new URL(`src/${path}`, DIST).href);
}
