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
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // The rest is read and dropped: a client that is still sending would not see the answer.
      if (bytes <= MOST_BODY_BYTES) chunks.push(chunk);
    });
    request.on('error', reject);
    request.on('end', () => resolve(bytes > MOST_BODY_BYTES ? tooLarge() : Buffer.concat(chunks)));
  });
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
 * @throws {Refusal} invalid: tooLarge, mediaType, malformedJson, badText.
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
  assertShallow(text);
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
    const end = indexOrEnd(text, '&', start, text.length);
    const nameEnd = indexOrEnd(text, '=', start, end);
    const name = decodePart(text.slice(start, nameEnd));
    if (end > start) pairs.push({ name, value: decodePart(text.slice(nameEnd + 1, end)) });
    start = end + 1;
  }
  return pairs;
}

function indexOrEnd(text: string, character: string, start: number, end: number): number {
  const index = text.indexOf(character, start);
  return index < 0 || index > end ? end : index;
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
    values.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(values);
}

/** Bounds the depth before anything recursive sees the text. */
function assertShallow(text: string): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > MOST_LEVELS) {
        const message = `The JSON is nested more than ${MOST_LEVELS} levels deep`;
        throw new Refusal('invalid', { reason: 'malformedJson', message });
      }
    } else if (character === '}' || character === ']') {
      depth -= 1;
    }
  }
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
