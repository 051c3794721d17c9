import { headerLines } from '../http/header-lines.js';
import type { BasicCredentials, PresentedCredentials } from '../protocol/credentials.js';
import type { WithRaw } from '../protocol/dialect.js';
import { looksLikeToken } from '../tokens/token-format.js';

/**
 * Reads `Authorization`, Bearer and Basic, and the given headers that hold nothing but a token.
 *
 * @param options.formEncoded whether clients of OAuth send Basic as well, who encode both of its parts like a form.
 */
export function presentedCredentials(
  request: WithRaw,
  options: { bearer: boolean; tokenHeaders?: readonly string[]; formEncoded?: boolean },
): PresentedCredentials {
  const presented: PresentedCredentials = { tokens: [] };
  for (const value of headerLines(request, 'authorization'))
    readAuthorization(value, options.bearer, presented);
  for (const name of options.tokenHeaders ?? []) {
    for (const value of headerLines(request, name)) presented.tokens.push(value);
  }
  if (options.formEncoded && presented.basic) presented.basic = formDecoded(presented.basic);
  const { basic } = presented;
  if (basic && looksLikeToken(basic.secret)) {
    // A token that was copied from a document may be enclosed in typographic quotes.
    basic.secret = basic.secret.replace(/[^\x21-\x7e]/g, '');
    presented.tokens.push(basic.secret);
  }
  if (presented.tokens.length > 1) presented.tokens = [...new Set(presented.tokens)];
  return presented;
}

function readAuthorization(value: string, bearer: boolean, presented: PresentedCredentials): void {
  const { scheme, rest } = partsOf(value);
  switch (scheme.toLowerCase()) {
    case 'bearer':
      if (!bearer) return;
      if (rest === '') presented.isMalformed = true;
      else presented.tokens.push(rest);
      return;
    case 'basic': {
      const basic = decodeBasic(rest);
      if (!basic || presented.basic) presented.isMalformed = true;
      else presented.basic = basic;
      return;
    }
    default:
      // Another scheme is no credential of ours: as if nothing had been sent.
      return;
  }
}

/** The parts before and after the first run of blanks; only spaces and tabs are blanks. */
function partsOf(value: string): { scheme: string; rest: string } {
  let end = 0;
  while (end < value.length && !isBlank(value[end])) end += 1;
  let start = end;
  while (isBlank(value[start])) start += 1;
  return { scheme: value.slice(0, end), rest: value.slice(start) };
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** RFC 7617: base64 of UTF-8 `login:secret`; undefined for anything else, control characters included. */
function decodeBasic(text: string): BasicCredentials | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const decoded = bytes.toString('utf8');
  const colon = decoded.indexOf(':');
  const isUtf8 = Buffer.from(decoded, 'utf8').equals(bytes);
  if (colon < 0 || !isUtf8 || hasControls(decoded)) return undefined;
  return { login: decoded.slice(0, colon), secret: decoded.slice(colon + 1) };
}

/** What `application/x-www-form-urlencoded` leaves of a text, escapes included. */
const FORM_ENCODED = /^(?:[\w*.+~-]|%[\dA-Fa-f]{2})*$/;

/**
 * RFC 6749, 2.3.1. Many send their password as it is: only where both parts look encoded, and an escape says that they are,
 * are they decoded.
 */
function formDecoded(basic: BasicCredentials): BasicCredentials {
  const { login, secret } = basic;
  const isEncoded =
    `${login}${secret}`.includes('%') && FORM_ENCODED.test(login) && FORM_ENCODED.test(secret);
  if (!isEncoded) return basic;
  try {
    const decoded = { login: decodePart(login), secret: decodePart(secret) };
    return hasControls(decoded.login + decoded.secret) ? basic : decoded;
  } catch {
    return basic;
  }
}

/** @throws {URIError} for what is no UTF-8. */
function decodePart(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what RFC 7617 forbids here
  return /[\u0000-\u001f\u007f]/.test(text);
}
