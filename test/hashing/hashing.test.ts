import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHmac, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError, readConfig, type TokenKey } from '../../src/config.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { loadKeyRing } from '../../src/hashing/key-ring.js';
import { makeToken } from '../../src/tokens/token-format.js';

function key(name: string): TokenKey {
  return { name, secret: randomBytes(32) };
}

describe('digests of tokens', () => {
  test('a digest is the HMAC-SHA-256 of the whole value under the first key', () => {
    const [first, second] = [key('new'), key('old')];
    const { value } = makeToken();
    const kept = new HashingService([first, second], 4).digestToken(value);
    expect(kept.keyName).toBe('new');
    expect(kept.digest.equals(createHmac('sha256', first.secret).update(value).digest())).toBe(true);
  });

  test('every key of the ring verifies; only those of the first are current', () => {
    const [old, fresh] = [key('old'), key('new')];
    const { value } = makeToken();
    const kept = new HashingService([old], 4).digestToken(value);
    const hashing = new HashingService([fresh, old], 4);
    expect(hashing.matchesToken(value, kept)).toBe(true);
    expect(hashing.isCurrent(kept)).toBe(false);
    expect(hashing.isCurrent(hashing.digestToken(value))).toBe(true);
  });

  test('a key that left the ring, another key of the same name, another value: no match', () => {
    const old = key('k1');
    const { value } = makeToken();
    const kept = new HashingService([old], 4).digestToken(value);
    expect(new HashingService([key('k2')], 4).matchesToken(value, kept)).toBe(false);
    expect(new HashingService([key('k1')], 4).matchesToken(value, kept)).toBe(false);
    const hashing = new HashingService([old], 4);
    expect(hashing.matchesToken(makeToken().value, kept)).toBe(false);
    expect(hashing.matchesToken(value, { ...kept, digest: kept.digest.subarray(0, 31) })).toBe(false);
    expect(hashing.matchesToken(value, hashing.decoy)).toBe(false);
  });

  test('an empty ring is refused', () => {
    expect(() => new HashingService([], 4)).toThrow('empty');
  });
});

describe('passwords', () => {
  const hashing = new HashingService([key('k1')], 4);

  test('a hash is bcrypt with the cost of the settings, and salted', async () => {
    const [one, other] = await Promise.all([hashing.hashPassword('secret'), hashing.hashPassword('secret')]);
    expect(one).toMatch(/^\$2b\$04\$/);
    expect(one).not.toBe(other);
    expect(await hashing.matchesPassword('secret', one)).toBe(true);
    expect(await hashing.matchesPassword('Secret', one)).toBe(false);
  });

  test('72 bytes are read whole; a longer password is refused, never cut', async () => {
    const longest = 'é'.repeat(36);
    const kept = await hashing.hashPassword(longest);
    expect(await hashing.matchesPassword(longest, kept)).toBe(true);
    expect(await hashing.matchesPassword(`${longest}x`, kept)).toBe(false);
    await expect(hashing.hashPassword(`${longest}x`)).rejects.toThrow(RangeError);
  });
});

describe('sealed copies', () => {
  const old = key('old');
  const hashing = new HashingService([old], 4);

  test('a sealed text opens for what it belongs to and for nothing else', () => {
    const sealed = hashing.seal('the value', 'token-1');
    expect(hashing.open(sealed, 'token-1')).toBe('the value');
    expect(hashing.open(sealed, 'token-2')).toBeUndefined();
    expect(sealed).not.toContain('the value');
    expect(Buffer.from(sealed.split(':')[1] ?? '', 'base64').toString('latin1')).not.toContain('the value');
  });

  test('one text is never sealed to the same bytes twice', () => {
    expect(hashing.seal('x', 'y')).not.toBe(hashing.seal('x', 'y'));
  });

  test('an older key of the ring opens; a key that left it, or another of its name, does not', () => {
    const sealed = hashing.seal('the value', 'token-1');
    expect(new HashingService([key('new'), old], 4).open(sealed, 'token-1')).toBe('the value');
    expect(new HashingService([key('new')], 4).open(sealed, 'token-1')).toBeUndefined();
    expect(new HashingService([key('old')], 4).open(sealed, 'token-1')).toBeUndefined();
  });

  test('a changed byte anywhere, or a cut, opens nothing', () => {
    const [name = '', base64 = ''] = hashing.seal('the value', 'token-1').split(':');
    const bytes = Buffer.from(base64, 'base64');
    for (let place = 0; place < bytes.length; place += 1) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(hashing.open(`${name}:${changed.toString('base64')}`, 'token-1')).toBeUndefined();
      expect(
        hashing.open(`${name}:${bytes.subarray(0, place).toString('base64')}`, 'token-1'),
      ).toBeUndefined();
    }
    expect(hashing.open('', 'token-1')).toBeUndefined();
  });
});

describe('the file of keys', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'patois-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is made once, readable by its owner alone, and used again', async () => {
    const config = { ...readConfig({}), dataDir: folder };
    const made = await loadKeyRing(config);
    const path = join(folder, 'token-keys');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toMatch(/^k1:[A-Za-z0-9+/]{43}=\n$/);
    expect(made).toHaveLength(1);
    expect(made[0]?.secret).toHaveLength(32);
    expect(await loadKeyRing(config)).toEqual(made);
  });

  test('is neither read nor made where the settings hold keys', async () => {
    const tokenKeys = [key('given')];
    expect(await loadKeyRing({ ...readConfig({}), dataDir: folder, tokenKeys })).toBe(tokenKeys);
    await expect(stat(join(folder, 'token-keys'))).rejects.toThrow('ENOENT');
  });

  test('that holds no ring is refused without showing what it holds', async () => {
    const path = join(folder, 'token-keys');
    await writeFile(path, 'k1:tooshortsecret\n');
    const loading = loadKeyRing({ ...readConfig({}), dataDir: folder });
    await expect(loading).rejects.toBeInstanceOf(ConfigurationError);
    await expect(loading).rejects.toThrow(/token-keys must hold 32 bytes in base64 for each key; key 'k1'/);
    await expect(loading).rejects.not.toThrow(/tooshortsecret/);
  });

  test('that cannot be read is never replaced by another', async () => {
    const path = join(folder, 'token-keys');
    await writeFile(path, '');
    await chmod(path, 0o600);
    await expect(loadKeyRing({ ...readConfig({}), dataDir: folder })).rejects.toBeInstanceOf(
      ConfigurationError,
    );
    expect(await readFile(path, 'utf8')).toBe('');
  });
});
