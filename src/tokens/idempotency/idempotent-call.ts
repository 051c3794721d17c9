import { Refusal } from '../../refusal.js';

/** For how long the outcome of a call is there for its repetition. */
export const REPLAY_MS = 120_000;
/** For how long a key is known. */
export const KEY_MS = 86_400_000;
const MAX_KEY_CHARACTERS = 255;

const PRINTABLE = /^[\x20-\x7e]+$/;
/** RFC 8941, 3.3.3: a string in quotation marks, with a backslash before these and before itself. */
const STRUCTURED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** A call that issues or rotates, which its caller may repeat where the answer was lost. */
export class IdempotentCall {
  /**
   * @param key the `Idempotency-Key` of the request.
   * @param route method and path: the same key on another is another call.
   * @param body as it came; empty where there was none.
   * @param replayed is called where the outcome is that of the first call.
   */
  constructor(
    readonly key: string,
    readonly route: string,
    readonly body: Buffer,
    readonly replayed: () => void,
  ) {}
}

/**
 * The value of an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), bare or as a structured string.
 *
 * @param lines of that header; there must be one.
 * @throws {Refusal} invalid for what is not 1 to 255 printable characters of ASCII.
 */
export function readIdempotencyKey(lines: readonly string[]): string {
  const [line = ''] = lines;
  const quoted = STRUCTURED.exec(line)?.[1]?.replaceAll(/\\(.)/g, '$1');
  const isBroken = quoted === undefined && line.startsWith('"');
  const key = quoted ?? line;
  if (lines.length === 1 && !isBroken && key.length <= MAX_KEY_CHARACTERS && PRINTABLE.test(key)) return key;
  const message = `Idempotency-Key must be one text of 1 to ${MAX_KEY_CHARACTERS} printable ASCII characters`;
  throw new Refusal('invalid', { reason: 'idempotencyKey', message });
}
