import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, ConfigurationError, parseTokenKeys, type TokenKey } from '../config.js';

/**
 * The keys of this start: those of the settings, else those kept in `DATA_DIR/token-keys`, which the first start on an
 * embedded database makes (mode 0600).
 *
 * @throws {ConfigurationError} when the file does not hold a key ring.
 */
export async function loadKeyRing(config: Config): Promise<TokenKey[]> {
  if (config.tokenKeys) return config.tokenKeys;
  const path = join(config.dataDir, 'token-keys');
  const text = (await readIfThere(path)) ?? (await generate(path));
  try {
    return parseTokenKeys(text.trim());
  } catch (error) {
    throw new ConfigurationError([`${path} ${(error as Error).message}`]);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function generate(path: string): Promise<string> {
  const text = `k1:${randomBytes(32).toString('base64')}\n`;
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    // Tokens digested under a key that a power cut lost could never be verified again.
    await file.sync();
  } finally {
    await file.close();
  }
  return text;
}
