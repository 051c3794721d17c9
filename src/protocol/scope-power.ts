import type { DialectRegistry } from './dialect-registry.js';

/** A scope, as tokens of a dialect hold it. */
export interface HeldScope {
  dialect: string;
  scope: string;
}

/** Of an API without a list of its scopes, so many of those that are held are compared with each other. */
const MAX_UNLISTED = 100;

interface Power {
  /** Of the scopes of its API, how large a part it covers: `*` covers more than any API has. */
  share: number;
  /** How many scopes it covers. */
  count: number;
}

/**
 * Says which of some scopes is the most powerful, by what the dialects say of coverage: `*`; then the one that covers the
 * largest part of its API's scopes; of several the one that covers most; of several the first by dialect and name.
 */
export class ScopePower {
  /** Of the scopes that are listed: no more than the APIs have. */
  private readonly known = new Map<string, Power>();

  constructor(private readonly registry: DialectRegistry) {}

  /** @returns undefined if there are none. */
  mostPowerful(held: readonly HeldScope[]): HeldScope | undefined {
    const unlisted = held
      .filter(({ scope }) => this.vocabularyWith(scope).length === 0)
      .slice(0, MAX_UNLISTED);
    const ranked = held.map((one) => ({ one, power: this.powerOf(one, unlisted) }));
    ranked.sort(
      (a, b) =>
        b.power.share - a.power.share ||
        b.power.count - a.power.count ||
        compare(a.one.dialect, b.one.dialect) ||
        compare(a.one.scope, b.one.scope),
    );
    return ranked[0]?.one;
  }

  private powerOf(one: HeldScope, unlisted: readonly HeldScope[]): Power {
    const { dialect, scope } = one;
    if (scope === '*') return { share: 2, count: 1 };
    const key = `${dialect} ${scope}`;
    const known = this.known.get(key);
    if (known) return known;
    const vocabulary = this.vocabularyWith(scope);
    if (vocabulary.length === 0) {
      const count = this.covered(
        one,
        unlisted.map((other) => other.scope),
      );
      return { share: 0, count };
    }
    const count = this.covered(one, vocabulary);
    const power = { share: count / vocabulary.length, count };
    this.known.set(key, power);
    return power;
  }

  /** All scopes of the APIs that list this one. */
  private vocabularyWith(scope: string): string[] {
    return this.registry
      .all()
      .flatMap(({ scopes: { vocabulary } }) => (vocabulary.includes(scope) ? vocabulary : []));
  }

  private covered({ dialect, scope }: HeldScope, others: readonly string[]): number {
    return others.length - this.registry.uncovered([scope], dialect, others).length;
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
