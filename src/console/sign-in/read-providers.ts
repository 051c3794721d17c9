import { readFile } from 'node:fs/promises';
import { type Role, ROLES } from '../../accounts/user.entity.js';
import { type Config, ConfigurationError, SETTINGS } from '../../config.js';
import { parseCallerAddress } from '../../network/addresses.js';
import { allowsAddress } from '../../network/cidr.js';
import type { ClaimMapping, SignInProvider } from './sign-in-provider.js';

const { variable: VARIABLE } = SETTINGS.oidcProviders;
const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const NAME = /^[a-z0-9-]{1,40}$/;
/** RFC 6749, 3.3. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/;
const MAX_TEXT = 2000;
const MAX_TITLE = 100;

/**
 * The providers that the file of `OIDC_PROVIDERS` lists; none where the setting is unset.
 *
 * @throws {ConfigurationError} with every problem of the file at once, and no value of a secret.
 */
export async function readSignInProviders({
  oidcProviders: path,
}: Pick<Config, 'oidcProviders'>): Promise<SignInProvider[]> {
  if (path === undefined) return [];
  const problems: string[] = [];
  const providers = entriesOf(await readText(path), path).map((entry, index) => {
    const reader = new EntryReader(entry);
    const provider = providerOf(reader);
    const place = NAME.test(provider.name) ? `provider '${provider.name}'` : `provider ${index + 1}`;
    problems.push(...reader.problems.map((problem) => `${VARIABLE} ${place}: ${problem}`));
    return provider;
  });
  const names = providers.map(({ name }) => name);
  for (const name of new Set(names.filter((one, index) => NAME.test(one) && names.indexOf(one) !== index))) {
    problems.push(`${VARIABLE} provider '${name}': name stands there twice`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return providers;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new ConfigurationError([`${VARIABLE} names ${path}, which cannot be read: ${code}`]);
  }
}

/** The parser's own message would show what stands around the error: a secret, perhaps. */
function entriesOf(text: string, path: string): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ConfigurationError([`${VARIABLE} must name a JSON file, but ${path} is none`]);
  }
  if (!Array.isArray(parsed)) {
    throw new ConfigurationError([
      `${VARIABLE} must name a file with a list of providers, but ${path} has none`,
    ]);
  }
  return parsed;
}

function providerOf(entry: EntryReader): SignInProvider {
  const provider: SignInProvider = {
    name: entry.text('name', {
      test: (text) => NAME.test(text),
      what: '1 to 40 lower-case letters, digits and hyphens',
    }),
    title: entry.text('title', {
      test: (text) => text.length <= MAX_TITLE,
      what: `a text of at most ${MAX_TITLE} characters`,
    }),
    issuer: entry.text('issuer', {
      test: isIssuer,
      what: 'an https address (http for loopback addresses alone) without credentials, query or fragment',
    }),
    clientId: entry.text('clientId'),
    clientSecret: entry.optionalText('clientSecret'),
    scopes: entry.text('scopes', {
      fallback: 'openid profile email',
      test: (text) => SCOPES.test(text) && text.split(' ').includes('openid'),
      what: "scopes separated by blanks, 'openid' among them",
    }),
    linksByVerifiedEmail: entry.flag('linksByVerifiedEmail'),
    createsUsers: entry.flag('createsUsers'),
    loginClaim: entry.text('loginClaim', { fallback: 'preferred_username' }),
    organization: entry.mapping('organizationClaim', 'organizations', (text) =>
      text.trim() === '' ? undefined : text,
    ),
    role: entry.mapping<Role>('roleClaim', 'roles', (text) => ROLES.find((role) => role === text)),
  };
  entry.refuseOthers();
  return provider;
}

interface TextRule {
  /** Undefined: the key is required. */
  fallback?: string;
  test?: (text: string) => boolean;
  /** What a good text is, behind "must be". */
  what?: string;
}

/** Reads one entry of the list key by key, and gathers what is wrong with it. */
class EntryReader {
  readonly problems: string[] = [];
  private readonly values: Record<string, unknown>;
  private readonly asked = new Set<string>();

  constructor(entry: unknown) {
    const isObject = typeof entry === 'object' && entry !== null && !Array.isArray(entry);
    if (!isObject) this.problems.push('must be an object');
    this.values = isObject ? (entry as Record<string, unknown>) : {};
  }

  text(key: string, { fallback, test = () => true, what = 'a text' }: TextRule = {}): string {
    const text = this.optionalText(key, what);
    if (text === undefined) {
      if (fallback === undefined && !this.has(key)) this.problems.push(`${key} is required`);
      return fallback ?? '';
    }
    if (!test(text)) this.problems.push(`${key} must be ${what}`);
    return text;
  }

  /** Never repeats the value: it may be the secret. */
  optionalText(key: string, what = 'a text'): string | undefined {
    const value = this.valueOf(key);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_TEXT) return value;
    this.problems.push(`${key} must be ${what}`);
    return undefined;
  }

  flag(key: string): boolean {
    const value = this.valueOf(key);
    if (value === undefined || typeof value === 'boolean') return value ?? false;
    this.problems.push(`${key} must be true or false`);
    return false;
  }

  mapping<Meaning>(
    claimKey: string,
    meaningsKey: string,
    meaningOf: (text: string) => Meaning | undefined,
  ): ClaimMapping<Meaning> | undefined {
    const claim = this.optionalText(claimKey);
    const value = this.valueOf(meaningsKey);
    if (this.has(claimKey) !== this.has(meaningsKey)) {
      this.problems.push(`${claimKey} and ${meaningsKey} need each other`);
    }
    if (value === undefined) return undefined;
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    if (entries.length === 0 || Array.isArray(value)) {
      this.problems.push(`${meaningsKey} must be an object of values of the claim and what they mean`);
      return undefined;
    }
    const meanings = new Map<string, Meaning>();
    for (const [of, text] of entries as [string, unknown][]) {
      const meaning = typeof text === 'string' ? meaningOf(text) : undefined;
      if (meaning === undefined)
        this.problems.push(`${meaningsKey} has no ${meaningsKey.slice(0, -1)} for '${of}'`);
      else meanings.set(of, meaning);
    }
    return claim === undefined ? undefined : { claim, meanings };
  }

  /** A key that is misspelt would else be a setting that silently does not hold. */
  refuseOthers(): void {
    const others = Object.keys(this.values).filter((key) => !this.asked.has(key));
    for (const key of others) this.problems.push(`${key} is no key of a provider`);
  }

  private has(key: string): boolean {
    return this.values[key] !== undefined;
  }

  private valueOf(key: string): unknown {
    this.asked.add(key);
    return Object.hasOwn(this.values, key) ? this.values[key] : undefined;
  }
}

function isIssuer(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username || url.password || url.search || url.hash) return false;
  // Discovery adds it.
  if (url.pathname.includes('/.well-known/')) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function isLoopback(hostname: string): boolean {
  // In a URL an IPv6 address stands in brackets.
  const address = parseCallerAddress(hostname.replace(/^\[(.*)\]$/, '$1'));
  return address !== undefined && allowsAddress(LOOPBACK, address);
}
