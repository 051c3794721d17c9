import type { IncomingMessage } from 'node:http';
import { unescape } from 'node:querystring';
import { parse } from 'secure-json-parse';
import { withoutSecrets } from '../secrets.js';
import { Refusal } from '../tokens/refusal.js';
import type { PathOwner } from './dialect.js';
import type { Soon } from './soon.js';

/** Half a MiB holds every body that an API here defines, a batch of 1,000 verifications included. */
export const MOST_BODY_BYTES = 512 * 1024;
const MOST_LEVELS = 64;
/** Well over what any object of an API here has; each unknown key costs as much as a hundred characters. */
const MAX_KEYS_OF_OBJECT = 100;
/** Twice the largest list of an API here, a batch of verifications. */
const MAX_ITEMS_OF_LIST = 2_000;
/** All keys and items of a body: a little over the most that Losant's roles can come to. */
const MAX_VALUES = 16_384;
/** Of an HTML form. */
const MAX_FORM_PAIRS = 1_000;
/** Each that an API does not know costs as much as an unknown key. */
const MAX_QUERY_PARAMETERS = 100;
/** The media type of an HTML form. */
export const FORM = 'application/x-www-form-urlencoded';
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * The bytes of a body, at once where all of them have arrived. It fails only with its connection: a body that is too
 * large is refused in its turn.
 */
export function collectBody(request: IncomingMessage): Soon<Buffer | Refusal> {
  if (request.complete) {
    const whole = (request.read() as Buffer | null) ?? Buffer.alloc(0);
    return whole.length > MOST_BODY_BYTES ? tooLarge() : whole;
  }
  const { socket } = request;
  socket.patoisAwaited = request;
  return new Promise<Buffer | Refusal>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // The rest is read and dropped: a client that is still sending would not see the answer.
      if (bytes <= MOST_BODY_BYTES) chunks.push(chunk);
    });
    request.on('error', reject);
    request.on('end', () => resolve(bytes > MOST_BODY_BYTES ? tooLarge() : Buffer.concat(chunks)));
  }).finally(() => {
    if (socket.patoisAwaited === request) socket.patoisAwaited = undefined;
  });
}

declare module 'node:net' {
  interface Socket {
    /** The request whose body has not come whole yet: should it never, the owner of its path words that. */
    patoisAwaited?: IncomingMessage | undefined;
  }
}

function tooLarge(): Refusal {
  const message = `The body is larger than ${MOST_BODY_BYTES} bytes`;
  return new Refusal('invalid', { reason: 'tooLarge', message });
}

/** What a body is read from. */
export interface BodySource {
  method: string;
  contentType: string | undefined;
  owner: PathOwner;
  /** The bytes, or why they were not kept. Undefined: there was none. */
  rawBody: Buffer | Refusal | undefined;
}

/**
 * The JSON of a request's body; undefined where there is none, or where the method has none (a DELETE's is ignored).
 * A form, where the owner of the path reads one, becomes an object of texts, with a list for what stands there twice.
 *
 * @throws {Refusal} invalid: tooLarge, tooComplex, mediaType, malformedJson, badText.
 */
export function readBody(source: BodySource): unknown {
  const text = readText(source);
  if (text === undefined) return undefined;
  return checked(mediaTypeOf(source.contentType) === FORM ? parseForm(text) : parseJson(text));
}

/**
 * The pairs of a form, decoded, in order; none where there is no body.
 *
 * @throws {Refusal} as {@link readBody}.
 */
export function readForm(source: BodySource): FormPair[] {
  const pairs = formPairs(readText(source) ?? '');
  for (const { name, value } of pairs) {
    if (!isGoodText(name)) throw badText([]);
    if (!isGoodText(value)) throw badText([name]);
  }
  return pairs;
}

/** The text of a body that is read here. */
function readText({ method, contentType, owner, rawBody }: BodySource): string | undefined {
  if (!METHODS_WITH_BODY.has(method)) return undefined;
  const mediaType = mediaTypeOf(contentType);
  if (rawBody instanceof Refusal) throw rawBody;
  const isEmpty = rawBody === undefined || rawBody.length === 0;
  const isRead = owner.readsMediaType?.(mediaType, isEmpty) ?? (isEmpty || readsJson(mediaType));
  if (!isRead) {
    const message = `The content type ${mediaType ?? '(none)'} is not supported: send application/json`;
    throw new Refusal('invalid', { reason: 'mediaType', message });
  }
  if (isEmpty) return undefined;
  return rawBody.toString('utf8');
}

/** The media type of a `Content-Type` in lower case, without parameters; undefined where none was sent. */
function mediaTypeOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined || contentType === FORM) return contentType;
  return contentType.split(';', 1)[0]?.trim().toLowerCase() || undefined;
}

/** `application/json`, anything `+json`, and, as many clients mean it, no content type at all. */
export function readsJson(mediaType: string | undefined): boolean {
  return mediaType === undefined || /^application\/([\w.!#$&^-]+\+)?json$/.test(mediaType);
}

function parseJson(text: string): unknown {
  assertBounded(text);
  let value: unknown;
  try {
    // Keys such as __proto__ are refused like any other text that is not what a client can mean.
    value = parse(text);
  } catch (problem) {
    throw new Refusal('invalid', {
      reason: 'malformedJson',
      message: withoutSecrets((problem as Error).message),
    });
  }
  return value;
}

/** Refuses text that could not be kept. */
function checked(value: unknown): unknown {
  const path = findBadText(value);
  if (path) throw badText(path);
  return value;
}

function badText(path: string[]): Refusal {
  const message = `${path.join('.') || 'The body'} contains invalid characters`;
  return new Refusal('invalid', { reason: 'badText', message, fields: [{ path, rule: 'badText', message }] });
}

/** One pair of a form. */
export interface FormPair {
  name: string;
  value: string;
}

/** As `URLSearchParams` reads them, without what it costs: introspection reads a form about every request of a service. */
function formPairs(text: string): FormPair[] {
  const pairs: FormPair[] = [];
  for (let start = 0; start < text.length;) {
    const next = text.indexOf('&', start);
    const end = next < 0 ? text.length : next;
    if (end > start) {
      if (pairs.length === MAX_FORM_PAIRS) {
        throw tooComplex(`The form has more than ${MAX_FORM_PAIRS} parameters`);
      }
      pairs.push(pairOf(text.slice(start, end)));
    }
    start = end + 1;
  }
  return pairs;
}

function pairOf(part: string): FormPair {
  // Looked for in the pair alone: in a text of many pairs without any, each search would run to the end.
  const equals = part.indexOf('=');
  if (equals < 0) return { name: decodePart(part), value: '' };
  return { name: decodePart(part.slice(0, equals)), value: decodePart(part.slice(equals + 1)) };
}

function decodePart(part: string): string {
  if (!part.includes('%') && !part.includes('+')) return part;
  return unescape(part.replaceAll('+', ' '));
}

/** The values of a form by name; a list for what stands there more than once. */
function parseForm(text: string): unknown {
  const values = new Map<string, string | string[]>();
  for (const { name, value } of formPairs(text)) {
    const before = values.get(name);
    if (Array.isArray(before)) before.push(value);
    else values.set(name, before === undefined ? value : [before, value]);
  }
  return Object.fromEntries(values);
}

/**
 * Bounds the depth, and the numbers of keys and items, before anything recursive or dearer than linear sees the text.
 *
 * @throws {Refusal} malformedJson, tooComplex.
 */
function assertBounded(text: string): void {
  const commas: number[] = [];
  const limits: number[] = [];
  let depth = 0;
  let values = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index);
        break;
      case OPENING_BRACE:
      case OPENING_BRACKET:
        if (depth === MOST_LEVELS) throw tooDeep();
        limits[depth] = text.charCodeAt(index) === OPENING_BRACE ? MAX_KEYS_OF_OBJECT : MAX_ITEMS_OF_LIST;
        commas[depth] = 0;
        depth += 1;
        values += 1;
        break;
      case CLOSING_BRACE:
      case CLOSING_BRACKET:
        depth = Math.max(0, depth - 1);
        break;
      case COMMA: {
        const level = depth - 1;
        const count = (commas[level] ?? 0) + 1;
        commas[level] = count;
        values += 1;
        if (count >= (limits[level] ?? MAX_VALUES)) throw tooMany(limits[level]);
        break;
      }
    }
    if (values > MAX_VALUES) throw tooMany(MAX_VALUES);
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Where the string that begins at `start` has its closing quote; the end of the text where it has none. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return index;
    if (code === BACKSLASH) index += 1;
  }
  return text.length;
}

function tooDeep(): Refusal {
  const message = `The JSON is nested more than ${MOST_LEVELS} levels deep`;
  return new Refusal('invalid', { reason: 'malformedJson', message });
}

function tooMany(limit: number | undefined): Refusal {
  switch (limit) {
    case MAX_KEYS_OF_OBJECT:
      return tooComplex(`An object of the JSON has more than ${MAX_KEYS_OF_OBJECT} keys`);
    case MAX_ITEMS_OF_LIST:
      return tooComplex(`A list of the JSON has more than ${MAX_ITEMS_OF_LIST} items`);
    default:
      return tooComplex(`The JSON has more than ${MAX_VALUES} keys and items`);
  }
}

function tooComplex(message: string): Refusal {
  return new Refusal('invalid', { reason: 'tooComplex', message });
}

/**
 * Bounds what a URL asks, before anything looks at each of its parameters.
 *
 * @throws {Refusal} invalid: tooComplex.
 */
export function assertFewParameters(url: string): void {
  let count = 1;
  for (let at = url.indexOf('&'); at >= 0; at = url.indexOf('&', at + 1)) count += 1;
  if (count <= MAX_QUERY_PARAMETERS) return;
  throw tooComplex(`The query has more than ${MAX_QUERY_PARAMETERS} parameters`);
}

/** Where a value holds a NUL, which PostgreSQL cannot keep, or half of a surrogate pair, which is no text. */
function findBadText(value: unknown): string[] | undefined {
  if (typeof value === 'string') return isGoodText(value) ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    if (!isGoodText(key)) return [];
    const path = findBadText(child);
    if (path) return [key, ...path];
  }
  return undefined;
}

/** Whether a text can be kept and shown: no NUL, no lone surrogate. */
export function isGoodText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}
