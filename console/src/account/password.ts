/** Of passwords, as the server has them. */
export const LEAST_BYTES = 8;
export const MOST_BYTES = 72;

const LONG_BYTES = 16;
const FAIR_BYTES = 12;
const MANY_CHARACTERS = 8;

export type Strength = 'weak' | 'fair' | 'strong';

/** How many bytes a text has, which is what counts: 密 has three. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Why a new password will be refused; undefined: nothing is known against it. */
export function faultOf(password: string, old: string): 'short' | 'long' | 'same' | undefined {
  const bytes = bytesOf(password);
  if (bytes < LEAST_BYTES) return 'short';
  if (bytes > MOST_BYTES) return 'long';
  return password === old ? 'same' : undefined;
}

/** A rough measure, by length and by how many different characters there are: length beats odd signs (NIST SP 800-63B). */
export function strengthOf(password: string): Strength {
  const bytes = bytesOf(password);
  const different = new Set(password).size;
  if (bytes < FAIR_BYTES || different < MANY_CHARACTERS / 2) return 'weak';
  return bytes >= LONG_BYTES && different >= MANY_CHARACTERS ? 'strong' : 'fair';
}
