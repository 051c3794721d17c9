import { isLogin } from '../../accounts/login.js';
import { ROLES, type Role } from '../../accounts/user.entity.js';
import { isGoodText } from '../../http/validation/text.js';
import { looksLikeToken } from '../../tokens/token-format.js';
import type { Claims } from './provider-client.js';
import type { ClaimMapping } from './sign-in-provider.js';

const MAX_LOGIN = 100;
const MAX_NAME = 255;
/** RFC 5321, 4.5.3.1. */
const MAX_EMAIL = 254;

/**
 * A login of a claim: without accents, and with a hyphen for each run of characters that a login has none of. Undefined
 * where nothing of it is left. That two people may come to one login is settled by its unique index.
 */
export function loginOf(claims: Claims, claim: string): string | undefined {
  const text = textOf(claims, claim) ?? '';
  const login = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._@+-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, MAX_LOGIN);
  return isLogin(login) && !looksLikeToken(login) ? login : undefined;
}

/** Null where there is none that can be kept. */
export function nameOf(claims: Claims): string | null {
  const name = (textOf(claims, 'name') ?? '').replace(/\p{Cc}+/gu, ' ').trim();
  return name === '' ? null : Array.from(name).slice(0, MAX_NAME).join('');
}

/** The address that the provider vouches for; null where it vouches for none. */
export function verifiedEmailOf(claims: Claims): string | null {
  if (claims['email_verified'] !== true) return null;
  const email = textOf(claims, 'email') ?? '';
  return email.length <= MAX_EMAIL && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email) ? email : null;
}

/** The first organization, in the order of the mapping, that a value of the claim stands for. */
export function organizationOf(claims: Claims, mapping: ClaimMapping<string>): string | undefined {
  return meaningsOf(claims, mapping)[0];
}

/** The most powerful role that a value of the claim stands for; a member where there is none. */
export function roleOf(claims: Claims, mapping: ClaimMapping<Role>): Role {
  const granted = meaningsOf(claims, mapping).map((role) => ROLES.indexOf(role));
  return ROLES[Math.max(0, ...granted)] as Role;
}

function meaningsOf<Meaning>(claims: Claims, { claim, meanings }: ClaimMapping<Meaning>): Meaning[] {
  const values = new Set(claimed(claims, claim));
  return [...meanings].filter(([value]) => values.has(value)).map(([, meaning]) => meaning);
}

/** The values of a claim that is a text, a number, true or false, or a list of those. */
function claimed(claims: Claims, claim: string): string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  const values = Array.isArray(value) ? (value as unknown[]) : [value];
  return values.flatMap((one) =>
    typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean' ? [String(one)] : [],
  );
}

function textOf(claims: Claims, claim: string): string | undefined {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  return typeof value === 'string' && isGoodText(value) ? value : undefined;
}
