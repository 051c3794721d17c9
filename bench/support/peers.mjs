import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from './processes.mjs';

/** Starts a peer, `peers/<file>`. */
export function startPeer(name, file, environment = {}) {
  return ServerProcess.start(name, fileURLToPath(new URL(`../peers/${file}`, import.meta.url)), {
    NODE_ENV: 'production',
    ...environment,
  });
}

/** One prepared select on the store of a Patois. */
export function startOneSelect({ url }) {
  return startPeer('one select', 'one-select.mjs', { DATABASE_URL: url });
}

/** @param keysFile takes the keys that it makes. */
export async function startBetterAuth(postgres, keysFile, environment = {}) {
  return startPeer('better-auth', 'better-auth.mjs', {
    DATABASE_URL: await postgres.database('better_auth'),
    KEYS_FILE: keysFile,
    SECRET: randomBytes(32).toString('base64url'),
    ...environment,
  });
}

/** @param tokensFile takes the tokens that it makes. */
export async function startOidcOnPostgres(postgres, tokensFile, clientSecret, environment = {}) {
  return startPeer('oidc-provider, PostgreSQL', 'oidc-provider.mjs', {
    DATABASE_URL: await postgres.database('oidc'),
    TOKENS_FILE: tokensFile,
    CLIENT_SECRET: clientSecret,
    ...environment,
  });
}
