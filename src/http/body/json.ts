import { parse } from 'secure-json-parse';
import { Refusal } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';
import { tooComplex } from '../too-complex.js';

const MAX_LEVELS = 64;
/** Well over what any object of an API here has; each unknown key costs as much as a hundred characters. */
const MAX_KEYS_OF_OBJECT = 100;
/** Twice the largest list of an API here, a batch of verifications. */
const MAX_ITEMS_OF_LIST = 2_000;
/** All keys and items of a body: a little over the most that Losant's roles can come to. */
const MAX_VALUES = 16_384;

/** @throws {Refusal} invalid: malformedJson, tooComplex. */
export function parseJson(text: string): unknown {
  assertBounded(text);
  let value: unknown;
  try {
    // Keys such as __proto__ are refused like any other text that is not what a client can mean.
    value = parse(text);
  } catch (error) {
    throw new Refusal('invalid', {
      reason: 'malformedJson',
      message: withoutSecrets((error as Error).message),
    });
  }
  return value;
}

/**
 * Bounds the depth, and the numbers of keys and items, before anything recursive or dearer than linear sees
 * the text.
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
        if (depth === MAX_LEVELS) throw tooDeep();
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
  const message = `The JSON is nested more than ${MAX_LEVELS} levels deep`;
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
