import { open } from 'node:fs/promises';
import type { CommandEnvironment } from '../environment.js';
import { usageError } from '../exit.js';
import { askSecret } from '../input/ask.js';
import type { Terminal } from '../output/terminal.js';

/** Which credential a call is made with; one at most. */
export interface CredentialOptions {
  login?: string;
  tokenFile?: string;
}

/** What may stand in a header. */
const CREDENTIAL = /^[\u0021-\u007e]{1,4096}$/;
const OTHERS = 0o077;

/**
 * The `Authorization` of a call: by `--login` and a password that is typed in, by the token of `--token-file`, of
 * `PATOIS_TOKEN`, or of the user's own file; the first of these that is there.
 *
 * @throws {CommandError} where there is none.
 */
export async function authorizationOf(
  { login, tokenFile }: CredentialOptions,
  environment: CommandEnvironment,
  terminal: Terminal,
): Promise<string> {
  if (login !== undefined && tokenFile !== undefined) throw usageError('Either --login or --token-file');
  if (login !== undefined) {
    const password = await askSecret(terminal, `Password of ${login}`);
    return `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
  }
  if (tokenFile !== undefined) return bearer(await readSecretFile(tokenFile), tokenFile);
  if (environment.token !== undefined) return bearer(environment.token, 'PATOIS_TOKEN');
  const kept = await readSecretFile(environment.tokenFile).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (kept !== undefined) return bearer(kept, environment.tokenFile);
  throw usageError(
    `No credential: say --login, or give a token in PATOIS_TOKEN, --token-file or ${environment.tokenFile}`,
  );
}

/**
 * What a file holds, such as a token or a key.
 *
 * @throws {CommandError} for a file that others can read.
 */
export async function readSecretFile(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw Object.assign(usageError(`${path} cannot be read: ${error.code}`), { code: error.code });
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw usageError(`${path} is not a file`);
    // Windows has no such modes.
    if (process.platform !== 'win32' && (stats.mode & OTHERS) !== 0) {
      throw usageError(`${path} can be read or written by others: chmod 600 ${path}`);
    }
    return (await file.readFile('utf8')).trim();
  } finally {
    await file.close();
  }
}

/** What was given is not repeated. */
function bearer(token: string, source: string): string {
  if (!CREDENTIAL.test(token)) throw usageError(`${source} holds no token`);
  return `Bearer ${token}`;
}
