import { Refusal } from '../refusal.js';

/** How many scopes a token of any dialect holds at most: each is looked at when a decision needs a scope. */
export const MAX_SCOPES = 500;
const MAX_SCOPE_CHARACTERS = 255;
/** Of all of a token's scopes together: every answer about a token repeats them. */
const MAX_CHARACTERS_IN_ALL = 16_384;
/** How many scopes one decision may be asked about. */
export const MAX_NEEDED_SCOPES = 100;

/** @throws {Refusal} invalid, for more or longer scopes than a token may hold. */
export function assertScopeLimits(scopes: readonly string[]): void {
  if (scopes.length > MAX_SCOPES) throw tooMuch(`more than ${MAX_SCOPES} scopes`);
  if (scopes.some((scope) => scope.length > MAX_SCOPE_CHARACTERS)) {
    throw tooMuch(`a scope of more than ${MAX_SCOPE_CHARACTERS} characters`);
  }
  if (scopes.reduce((sum, scope) => sum + scope.length, 0) > MAX_CHARACTERS_IN_ALL) {
    throw tooMuch(`scopes of more than ${MAX_CHARACTERS_IN_ALL} characters in all`);
  }
}

function tooMuch(what: string): Refusal {
  return new Refusal('invalid', { reason: 'tooComplex', message: `A token cannot hold ${what}` });
}
