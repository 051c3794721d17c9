import { Inject, Injectable, Logger } from '@nestjs/common';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { CONFIG, type Config } from '../../config.js';
import { Refusal } from '../../refusal.js';

/** Keys that have gone from the list count no longer than this, as long as the list can be read. */
const MAX_AGE_MS = 3_600_000;
/** Anybody can name a key that is not there: so often the list is read at most. */
const MIN_INTERVAL_MS = 60_000;
const READ_TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;
/** P-256, in OpenSSL's words. */
const CURVE = 'prime256v1';

/** The public keys that GitHub signs its reports with, from where the setting says. */
@Injectable()
export class GitHubKeys {
  private readonly logger = new Logger(GitHubKeys.name);
  private readonly place: string | undefined;
  private keys: ReadonlyMap<string, KeyObject> = new Map();
  private readAt = 0;
  private triedAt = 0;
  private reading: Promise<void> | undefined;

  constructor(@Inject(CONFIG) { githubSecretScanningKeys }: Config) {
    this.place = githubSecretScanningKeys;
  }

  get areConfigured(): boolean {
    return this.place !== undefined;
  }

  /**
   * The key of an identifier; undefined where the list has none of it.
   *
   * @throws {Refusal} unavailable where the list cannot be read, and none that was read has it.
   */
  async find(identifier: string): Promise<KeyObject | undefined> {
    const isDue = !this.keys.has(identifier) || Date.now() - this.readAt > MAX_AGE_MS;
    if (isDue && (this.reading || Date.now() - this.triedAt >= MIN_INTERVAL_MS)) {
      await (this.reading ??= this.read().finally(() => (this.reading = undefined)));
    }
    const key = this.keys.get(identifier);
    if (!key && this.readAt < this.triedAt) {
      const message = "GitHub's keys cannot be read now; try again";
      throw new Refusal('unavailable', { message, retryAfterSeconds: MIN_INTERVAL_MS / 1000 });
    }
    return key;
  }

  private async read(): Promise<void> {
    const { place = '' } = this;
    this.triedAt = Date.now();
    try {
      this.keys = keysOf(JSON.parse(await (isAbsolute(place) ? readFile(place) : fetchText(place))));
      this.readAt = this.triedAt;
    } catch (error) {
      this.logger.warn(`GitHub's keys cannot be read from ${place}: ${String(error)}`);
    }
  }
}

async function readFile(path: string): Promise<string> {
  const file = await open(path);
  try {
    return await limited(file.createReadStream({ autoClose: false }));
  } finally {
    await file.close();
  }
}

async function fetchText(address: string): Promise<string> {
  // To another address than the configured one it does not go.
  const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
  const answer = await fetch(address, { redirect: 'error', signal });
  if (!answer.ok || !answer.body) throw new Error(`It answers ${answer.status}`);
  return limited(answer.body);
}

async function limited(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`It is longer than ${MAX_BYTES} bytes`);
    kept.push(chunk);
  }
  return Buffer.concat(kept).toString('utf8');
}

/** Those of a list that are keys of the one kind that signs; a list of another shape fails. */
function keysOf(list: unknown): Map<string, KeyObject> {
  const entries = (list as { public_keys?: unknown } | null)?.public_keys;
  if (!Array.isArray(entries)) throw new Error('It has no list public_keys');
  const keys = new Map<string, KeyObject>();
  for (const entry of entries.slice(0, MAX_KEYS) as unknown[]) {
    const { key_identifier: identifier, key: pem } = (entry ?? {}) as Record<string, unknown>;
    if (typeof identifier !== 'string' || typeof pem !== 'string') continue;
    const key = keyOf(pem);
    if (key) keys.set(identifier, key);
  }
  return keys;
}

function keyOf(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    const isOfCurve = key.asymmetricKeyDetails?.namedCurve === CURVE;
    return key.asymmetricKeyType === 'ec' && isOfCurve ? key : undefined;
  } catch {
    return undefined;
  }
}
