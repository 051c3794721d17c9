import { parseRfc3339 } from '../../http/validation/date-time.js';
import { Refusal } from '../../refusal.js';
import type { NewAppToken, SignIn } from './quay.dto.js';

const MAX_TITLE_LENGTH = 255;
const MAX_CREDENTIAL_LENGTH = 255;
/** What the query parameter `expiring` means false by; everything else is true. */
const FALSE_WORDS = ['false', 'False', 'FALSE', '0', 'null', ''];

/**
 * Checks the body of create as Quay's JSON schema does, in the words of Python's `jsonschema`. Keys that it does not name
 * are ignored.
 *
 * @throws {Refusal} invalid, for the first rule that is broken.
 */
export function readNewAppToken(body: unknown): NewAppToken {
  const object = readObject(body);
  const title = readText(object, 'title');
  if (title.trim() === '') throw invalid("'title' is blank");
  assertNotLonger('title', title, MAX_TITLE_LENGTH);
  return 'expiration' in object ? { title, expiration: readExpiration(object['expiration']) } : { title };
}

/**
 * Checks the body of a sign-in in the same words, none of which repeats what was sent.
 *
 * @throws {Refusal} invalid, for the first rule that is broken.
 */
export function readSignIn(body: unknown): SignIn {
  const object = readObject(body, 'The body');
  const username = readText(object, 'username', "'username'");
  const password = readText(object, 'password', "'password'");
  assertNotLonger('username', username, MAX_CREDENTIAL_LENGTH);
  assertNotLonger('password', password, MAX_CREDENTIAL_LENGTH);
  return { username, password };
}

/** @param shown stands for a value that must not be repeated. */
function readObject(body: unknown, shown?: string): Record<string, unknown> {
  if (body === undefined || body === null) throw invalid('Missing JSON body');
  if (typeof body !== 'object' || Array.isArray(body)) throw invalid(notOfType(body, 'object', shown));
  return body as Record<string, unknown>;
}

/** @param shown as of {@link readObject}. */
function readText(object: Record<string, unknown>, key: string, shown?: string): string {
  if (!(key in object)) throw invalid(`'${key}' is a required property`);
  const text = object[key];
  if (typeof text !== 'string') throw invalid(notOfType(text, 'string', shown));
  return text;
}

/** Code points count, as in Python. */
function assertNotLonger(key: string, text: string, max: number): void {
  if (Array.from(text).length > max) throw invalid(`'${key}' is longer than ${max} characters`);
}

/** Reads the query parameter `expiring`, the first one if it is repeated; null when it is absent. */
export function readExpiring(value: string | string[] | undefined): boolean | null {
  const [first] = [value].flat();
  return first === undefined ? null : !FALSE_WORDS.includes(first);
}

function readExpiration(value: unknown): Date {
  if (typeof value !== 'string') throw invalid(notOfType(value, 'string'));
  const time = parseRfc3339(value);
  if (!time) throw invalid(`${inPython(value)} is not a 'date-time'`);
  if (time <= new Date()) throw invalid(`${inPython(value)} is in the past`);
  return time;
}

function invalid(message: string): Refusal {
  return new Refusal('invalid', { message });
}

function notOfType(value: unknown, type: string, shown = inPython(value)): string {
  return `${shown} is not of type '${type}'`;
}

/**
 * A JSON value as Python's `repr` spells it. Numbers are read as JavaScript reads them: `5.0` comes out as `5`.
 */
function inPython(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(inPython).join(', ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, child]) => `${quoted(key)}: ${inPython(child)}`);
    return `{${entries.join(', ')}}`;
  }
  // Python writes at least two digits of an exponent: 1e-07.
  return JSON.stringify(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Single quotes, unless the text has some and no double ones; what cannot be printed is escaped. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character;
    if (character === "'") return quote === "'" ? "\\'" : character;
    return ESCAPES[character] ?? escapedCodePoint(character.codePointAt(0) ?? 0);
  });
  return quote + escaped + quote;
}

function escapedCodePoint(codePoint: number): string {
  const hex = codePoint.toString(16);
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return codePoint <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
