import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const pbkdf2Of = promisify(pbkdf2);
const ROUNDS = 10_000;
const BYTES = 50;

/**
 * What makes the hash that Grafana keeps of a value; undefined for a value that is none of Grafana's. The salt is in the
 * value itself, so that of a value there is one hash, and that is looked up.
 *
 * Service account tokens (github.com/grafana/grafana, pkg/components/satokengen): `glsa_`, the secret, `_`, and the CRC-32
 * of all before, least significant byte first, in hex, which is the salt. API keys of before (pkg/components/apikeygen):
 * base64 of JSON with the secret `k`, the name `n`, which is the salt, and the organization `id`.
 */
export function grafanaHashOf(value: string): (() => Promise<Buffer>) | undefined {
  const parts = serviceAccountToken(value) ?? apiKey(value);
  return parts && (() => pbkdf2Of(parts.secret, parts.salt, ROUNDS, BYTES, 'sha256'));
}

interface Parts {
  secret: string;
  salt: string;
}

function serviceAccountToken(value: string): Parts | undefined {
  const [, signed = '', secret = '', checksum = ''] =
    /^(gl[A-Za-z0-9]{1,16}_([A-Za-z0-9]{16,64}))_([0-9a-f]{8})$/.exec(value) ?? [];
  if (signed === '') return undefined;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(crc32(signed));
  return bytes.toString('hex') === checksum ? { secret, salt: checksum } : undefined;
}

function apiKey(value: string): Parts | undefined {
  // `{"` in base64.
  if (!value.startsWith('eyJ')) return undefined;
  const bytes = Buffer.from(value, 'base64');
  // Of all spellings of these bytes one was given out.
  if (bytes.toString('base64') !== value) return undefined;
  let key: unknown;
  try {
    key = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const { k, n, id } = (key ?? {}) as Record<string, unknown>;
  return typeof k === 'string' && typeof n === 'string' && typeof id === 'number'
    ? { secret: k, salt: n }
    : undefined;
}
