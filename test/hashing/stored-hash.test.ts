import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { matches, meaningOf, parseStoredHash, UnreadableHash } from '../../src/hashing/stored-hash.js';
import { grafanaHashOf } from '../../src/tokens/imports/grafana.js';
import { describeWith } from '../support/programs.js';

/** Whether a value has a hash with salt. */
async function fits(text: string, value: string): Promise<boolean> {
  const hash = parseStoredHash(text);
  if (hash.kind !== 'salted') throw new Error('It has no salt');
  return matches(await hash.derive(value), hash);
}

async function expectFits(text: string, value: string): Promise<void> {
  expect([await fits(text, value), await fits(text, `${value}x`), await fits(text, value.slice(1))]).toEqual([
    true,
    false,
    false,
  ]);
}

const SHA1_OF_7 = createHash('sha1').update('7').digest('hex');

describe('hashes that others have published', () => {
  // github.com/go-gitea/gitea, models/fixtures/access_token.yml, whose first token its tests send.
  test("Gitea's", () =>
    expectFits(
      'gitea$QuSiZr1byZ$2b3668e11cb82d3af8c6e4524fc7841297668f5008d1626f0ad3417e9fa39af84c268248b78c481daa7e5dc437784003494f',
      'd2c6c1ba3890b309189a8e618c72a162e4efbf36',
    ));

  // github.com/grafana/grafana, pkg/components/satokengen/tokengen_test.go.
  test("Grafana's service account token", async () => {
    const digest =
      'c59a6e547944ef768df51d1fc8b2a9810bc777a0bd2e5daa9ef8590f300c884e0ab9470c22c6f789414fdb6485b531166ded';
    const derive = grafanaHashOf('glsa_iNValIdinValiDinvalidinvalidinva_5b582697');
    expect((await derive?.())?.toString('hex')).toBe(digest);
    expect(parseStoredHash(`grafana$${digest}`)).toEqual({ kind: 'grafana', digest });
    expect(grafanaHashOf('glsa_iNValIdinValiDinvalidinvalidinva_5b582698')).toBeUndefined();
  });

  // RFC 6070, the test vector of 4096 iterations, and RFC 7914, section 11.
  test('PBKDF2 of the RFCs', async () => {
    await expectFits('pbkdf2-sha1$4096$salt$4b007901b765489abead49d926f721d065a429c1', 'password');
    await expectFits(
      'pbkdf2-sha256$80000$NaCl$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d',
      'Password',
    );
  });

  // passlib's documentation and its own tests.
  test("passlib's", async () => {
    for (const text of [
      '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
      '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ',
      '$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww',
    ]) {
      await expectFits(text, 'password');
    }
  });

  // The test vectors of John the Ripper, as OpenBSD's, PHP's and Python's bcrypt have them.
  test('bcrypt under its three names', async () => {
    for (const name of ['2a', '2b', '2y']) {
      await expectFits(`$${name}$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`, 'U*U');
    }
  });
});

describe('a stored hash', () => {
  test("is Foreman's with the salt of the user, in its three kinds", async () => {
    const value = randomBytes(16).toString('base64url');
    const sha1 = createHash('sha1')
      .update(value + SHA1_OF_7)
      .digest('hex');
    await expectFits(`foreman$7$${sha1}`, value);
    expect(() => parseStoredHash(`foreman$8$$pbkdf2sha1$1000$${SHA1_OF_7}$${'A'.repeat(52)}`)).toThrow(
      'must be a hash of a token of the user whose id it names',
    );
  });

  test('has one meaning in its spellings', () => {
    const digest = createHash('sha256').update('x').digest();
    const texts = [
      digest.toString('hex'),
      digest.toString('hex').toUpperCase(),
      digest.toString('base64'),
      digest.toString('base64url'),
    ];
    expect(new Set(texts.map((text) => meaningOf(parseStoredHash(`sha256$${text}`)))).size).toBe(1);
  });

  test.each([
    ['no hash', 'hello'],
    ['a digest that is too short', `sha256$${'a'.repeat(63)}`],
    ['another algorithm', `md5$${'a'.repeat(32)}`],
    ['a bcrypt hash that is cut', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe'],
    ['a bcrypt cost that takes too long', `$2b$15$${'C'.repeat(53)}`],
    ['a bcrypt cost below what bcrypt has', `$2b$03$${'C'.repeat(53)}`],
    ['a broken variant of bcrypt', `$2x$05$${'C'.repeat(53)}`],
    ['too many rounds', `pbkdf2-sha256$1000001$salt$${'ab'.repeat(32)}`],
    ['too many rounds over all blocks', `pbkdf2-sha256$600000$salt$${'ab'.repeat(50)}`],
    ['no round', `pbkdf2-sha256$0$salt$${'ab'.repeat(32)}`],
    ['a hash that is easily met by chance', `pbkdf2-sha256$1000$salt$${'ab'.repeat(8)}`],
    ['another length than it says', `$pbkdf2-sha256$i=1000,l=20$c2FsdA$${'A'.repeat(43)}`],
    ['a key without a name', `hmac-sha256$$${'ab'.repeat(32)}`],
  ])('is refused for %s, in words that do not repeat it', (_, text) => {
    const read = (): unknown => parseStoredHash(text);
    expect(read).toThrow(UnreadableHash);
    expect(read).not.toThrow(text.slice(-5));
  });
});

describeWith(['/usr/bin/htpasswd', '/usr/bin/openssl'], 'hashes that other programs make', () => {
  const value = randomBytes(20).toString('hex');
  const run = (program: string, ...words: string[]): string => execFileSync(program, words).toString().trim();

  test("are read: Apache's bcrypt, and OpenSSL's PBKDF2 as Foreman and Gitea keep it", async () => {
    await expectFits(run('htpasswd', '-nbB', '-C', '4', 'x', value).slice(2), value);
    const hexOf = (digest: string, salt: string, iterations: number, bytes: number): string =>
      run(
        'openssl',
        'kdf',
        '-keylen',
        String(bytes),
        '-kdfopt',
        `digest:${digest}`,
        '-kdfopt',
        `pass:${value}`,
        '-kdfopt',
        `salt:${salt}`,
        '-kdfopt',
        `iter:${iterations}`,
        'PBKDF2',
      )
        .replaceAll(':', '')
        .toLowerCase();
    await expectFits(`gitea$QuSiZr1byZ$${hexOf('SHA256', 'QuSiZr1byZ', 10_000, 50)}`, value);
    const foreman = Buffer.from(hexOf('SHA1', SHA1_OF_7, 50_000, 39), 'hex').toString('base64');
    await expectFits(`foreman$7$$pbkdf2sha1$50000$${SHA1_OF_7}$${foreman}`, value);
    await expectFits(`$pbkdf2sha1$50000$${SHA1_OF_7}$${foreman}`, value);
  });

  test('of bcrypt fit no value that is longer than bcrypt reads', async () => {
    const value = 'a'.repeat(73);
    // Of the first 72 characters.
    const text = execFileSync('htpasswd', ['-nbB', '-C', '4', 'x', value.slice(0, 72)])
      .toString()
      .trim()
      .slice(2);
    expect([await fits(text, value.slice(0, 72)), await fits(text, value)]).toEqual([true, false]);
  });
});

describeWith(['/usr/lib/python3/dist-packages/passlib/hash.py'], "passlib's hashes", () => {
  test.each([
    'pbkdf2_sha1.using(rounds=1000)',
    'pbkdf2_sha256.using(rounds=29000)',
    'pbkdf2_sha512.using(rounds=1000)',
    'django_pbkdf2_sha256.using(rounds=1000)',
    'django_pbkdf2_sha1.using(rounds=1000)',
    'bcrypt.using(rounds=4,ident="2a")',
    'bcrypt.using(rounds=4,ident="2b")',
    'bcrypt.using(rounds=4,ident="2y")',
  ])('%s', async (algorithm) => {
    const value = randomBytes(20).toString('hex');
    const program = `import sys; import passlib.hash as hashes; print(hashes.${algorithm}.hash(sys.argv[1]))`;
    const text = execFileSync('/usr/bin/python3', ['-c', program, value]).toString().trim();
    await expectFits(text, value);
  });
});
