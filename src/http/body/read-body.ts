import type { PathOwner } from '../../protocol/dialect.js';
import { Refusal } from '../../refusal.js';
import { findBadText, isGoodText } from '../validation/text.js';
import { FORM, type FormPair, formPairs, parseForm } from './form.js';
import { parseJson } from './json.js';

const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** What a body is read from. */
export interface BodySource {
  method: string;
  contentType: string | undefined;
  owner: PathOwner;
  /** The bytes, or why they were not kept. Undefined: there was none. */
  rawBody: Buffer | Refusal | undefined;
}

/**
 * The JSON of a request's body; undefined where there is none, or where the method has none (a DELETE's is
 * ignored). A form, where the owner of the path reads one, becomes an object of texts, with a list for what
 * stands there twice.
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
