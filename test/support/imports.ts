import { hash as bcryptHash } from 'bcrypt';
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A value of another system, and what of it stands in a row of an import. */
export interface Foreign {
  value: string;
  row: { hash: string; visible?: { prefix?: string; suffix?: string } };
  /** The keys that its hash names. */
  keys?: Record<string, string>;
}

export const HMAC_KEY = randomBytes(32);

export function sha256(value = randomBytes(20).toString('hex')): Foreign {
  return { value, row: { hash: `sha256$${createHash('sha256').update(value).digest('hex')}` } };
}

export function hmac(): Foreign {
  const value = `key_${randomBytes(16).toString('base64url')}`;
  const digest = createHmac('sha256', HMAC_KEY).update(value).digest('base64');
  return { value, row: { hash: `hmac-sha256$main$${digest}` }, keys: { main: HMAC_KEY.toString('base64') } };
}

/** Found by its last eight characters, as in Gitea. */
export function gitea(): Foreign {
  const value = randomBytes(20).toString('hex');
  const salt = randomBytes(5).toString('hex');
  const digest = pbkdf2Sync(value, salt, 10_000, 50, 'sha256').toString('hex');
  return { value, row: { hash: `gitea$${salt}$${digest}`, visible: { suffix: value.slice(-8) } } };
}

export function grafana(): Foreign {
  const secret = randomBytes(16).toString('hex');
  const signed = `glsa_${secret}`;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(signed));
  const salt = checksum.toString('hex');
  const digest = pbkdf2Sync(secret, salt, 10_000, 50, 'sha256').toString('hex');
  return { value: `${signed}_${salt}`, row: { hash: `grafana$${digest}` } };
}

/** An API key as Grafana made them before. */
export function grafanaKey(): Foreign {
  const [k, n] = [randomBytes(16).toString('hex'), 'a key'];
  const digest = pbkdf2Sync(k, n, 10_000, 50, 'sha256').toString('hex');
  const value = Buffer.from(JSON.stringify({ k, n, id: 1 })).toString('base64');
  return { value, row: { hash: `grafana$${digest}` } };
}

export async function bcrypt(): Promise<Foreign> {
  const value = randomBytes(20).toString('hex');
  return { value, row: { hash: await bcryptHash(value, 4), visible: { prefix: value.slice(0, 6) } } };
}

/** With nothing visible: found by the login that comes with it. */
export function foreman(userId = 7): Foreign {
  const value = randomBytes(16).toString('base64url');
  const salt = createHash('sha1').update(String(userId)).digest('hex');
  const digest = pbkdf2Sync(value, salt, 1_000, 39, 'sha1').toString('base64');
  return { value, row: { hash: `foreman$${userId}$$pbkdf2sha1$1000$${salt}$${digest}` } };
}
