import { parseRfc3339 } from '../../http/validation/date-time.js';
import { Refusal } from '../../refusal.js';
import type { NewAppToken, SignIn } from './quay.dto.js';

// The column `title` is a peewee `CharField`, 255 characters unless another length is given:
// https://github.com/quay/quay/blob/master/data/database.py (`AppSpecificAuthToken`)
const MAX_TITLE_LENGTH = 255;
const MAX_CREDENTIAL_LENGTH = 255;
/**
 * The values of the query parameter `expiring` that mean false; every other value is true, `no` and `2` too:
 * `truthy_bool` in https://github.com/quay/quay/blob/master/util/parsing.py
 */
const FALSE_WORDS = ['false', 'False', 'FALSE', '0', 'null', ''];

/**
 * Checks the body of create as Quay's JSON schema `NewToken` does, which ignores other keys:
 * https://github.com/quay/quay/blob/master/endpoints/api/appspecifictokens.py
 *
 * The messages are those of Python's `jsonschema`, functions `required` and `type` in
 * https://github.com/python-jsonschema/jsonschema/blob/main/jsonschema/_keywords.py
 * Quay's `detail` continues after this first line with the rule and the body. That a title may not be blank,
 * and the key `expiration`, were decided here.
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
 * Checks the body of a sign-in, the schema `SigninUser` in
 * https://github.com/quay/quay/blob/master/endpoints/api/user.py
 * with the same messages, but without the value that was sent, which may be a password (decided here).
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

/**
 * An absent body and JSON null are the same to `validate_json_request`:
 * https://github.com/quay/quay/blob/master/endpoints/api/__init__.py
 *
 * @param shown stands for a value that must not be repeated.
 */
function readObject(body: unknown, shown?: string): Record<string, unknown> {
  if (body === undefined || body === null) throw invalid('Missing JSON body');
  if (typeof body !== 'object' || Array.isArray(body)) throw invalid(notOfType(body, 'object', shown));
  return body as Record<string, unknown>;
}

/** @param shown as in {@link readObject}. */
function readText(object: Record<string, unknown>, key: string, shown?: string): string {
  if (!(key in object)) throw invalid(`'${key}' is a required property`);
  const text = object[key];
  if (typeof text !== 'string') throw invalid(notOfType(text, 'string', shown));
  return text;
}

/** Counts code points, as Python and PostgreSQL do. */
function assertNotLonger(key: string, text: string, max: number): void {
  if (Array.from(text).length > max) throw invalid(`'${key}' is longer than ${max} characters`);
}

/**
 * Reads the query parameter `expiring`; null when it is absent. Of repeated values the first counts:
 * `Argument.parse` of https://github.com/flask-restful/flask-restful/blob/master/flask_restful/reqparse.py
 */
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
 * A JSON value as Python's `repr` writes it, for jsonschema formats values with it. Numbers are as JavaScript
 * reads them, so that `5.0` becomes `5`. https://docs.python.org/3/library/functions.html#repr
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
  // An exponent has at least two digits in Python: `1e-07`.
  return JSON.stringify(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Single quotes, unless the text has single quotes and no double quotes. Escaped are the characters that are
 * not printable, the Unicode categories "Other" and "Separator" but for the space:
 * https://docs.python.org/3/library/stdtypes.html#str.isprintable
 */
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
