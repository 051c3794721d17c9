import { Refusal } from '../refusal.js';

/** Each unknown parameter costs as much as an unknown key. */
const MAX_QUERY_PARAMETERS = 100;

/** Input that would cost more than a request may. */
export function tooComplex(message: string): Refusal {
  return new Refusal('invalid', { reason: 'tooComplex', message });
}

/**
 * Bounds the query parameters of a URL before anything iterates over them.
 *
 * @throws {Refusal} invalid: tooComplex.
 */
export function assertFewParameters(url: string): void {
  let count = 1;
  for (let at = url.indexOf('&'); at >= 0; at = url.indexOf('&', at + 1)) count += 1;
  if (count <= MAX_QUERY_PARAMETERS) return;
  throw tooComplex(`The query has more than ${MAX_QUERY_PARAMETERS} parameters`);
}
