import type { DialectRegistry } from '../protocol/dialect-registry.js';
import type { ScopeRules } from '../protocol/dialect.js';

export const PATOIS = 'patois';

/** The scopes of the own API, in the words that its routes ask for. */
export const PATOIS_SCOPES = [
  'patois:tokens.read',
  'patois:tokens.write',
  'patois:users.read',
  'patois:users.write',
  'patois:introspect',
  'patois:scim',
] as const;

const VOCABULARY: readonly string[] = ['patois:*', ...PATOIS_SCOPES];

/** The scope rules of Patois' own tokens, which may hold scopes of every dialect. */
export function patoisScopes(registry: DialectRegistry): ScopeRules {
  /** A check asks about one needed scope for each of the hundreds that a token may hold. */
  let lastAsked: { scope: string; rules: ScopeRules[] } | undefined;

  /** The rules of the other dialects that know a scope. */
  function rulesKnowing(scope: string): ScopeRules[] {
    if (lastAsked?.scope !== scope) {
      const known = registry.all().filter(({ name, scopes }) => name !== PATOIS && scopes.isKnown(scope));
      lastAsked = { scope, rules: known.map(({ scopes }) => scopes) };
    }
    return lastAsked.rules;
  }

  return {
    vocabulary: VOCABULARY,
    // No part of the vocabulary: it covers more than any API has.
    suggestions: ['*'],
    isKnown: (scope) =>
      scope === '*' ||
      VOCABULARY.includes(scope) ||
      registry.all().some(({ name, scopes }) => name !== PATOIS && scopes.isKnown(scope)),
    covers: (held, needed) => {
      if (needed.startsWith('patois:')) return held === 'patois:*';
      return rulesKnowing(needed).some((rules) => rules.covers(held, needed));
    },
  };
}
