import { Refusal } from '../refusal.js';
import { MAX_NEEDED_SCOPES } from '../tokens/scope-limits.js';

/** The scopes of a list separated by spaces (RFC 6749, section 3.3). */
export function scopesOf(list: string | undefined): string[] {
  if (!list) return [];
  return list.includes(' ') ? list.split(' ').filter((scope) => scope !== '') : [list];
}

/**
 * As {@link scopesOf}, of a part of the input.
 *
 * @throws {Refusal} invalid for more scopes than one decision may be asked about.
 */
export function neededScopesOf(list: string | undefined, path: string[]): string[] {
  const scopes = scopesOf(list);
  if (scopes.length <= MAX_NEEDED_SCOPES) return scopes;
  const message = `${path.join('.')} must name at most ${MAX_NEEDED_SCOPES} scopes`;
  throw Refusal.ofField(path, 'maxScopes', message);
}
