import type { Principal } from '../../auth/principal.js';
import type { Dialect as TokenApi } from '../../protocol/dialect.js';

/** One API that tokens are of. */
export class Dialect {
  /**
   * As tokens carry it.
   * @example 'quay'
   */
  name: string;

  /** @example 'Patois in the words of Quay' */
  title: string;

  /**
   * The scopes that the API has, as far as they can be listed.
   * @example ['repo:read', 'repo:write', 'user:admin']
   */
  scopes: string[];

  /**
   * Further scopes that tokens may hold and people may want to choose from: those of an open set that are published, and
   * `*`, which is all of every API.
   * @example []
   */
  suggestions: string[];

  /**
   * A regular expression that every further scope matches, where the API has an open set of them; else null.
   * @example '^[a-zA-Z]+_(read|read_write)$'
   */
  scopePattern: string | null;

  /**
   * The scopes of a token that is created without any; null: they must be given.
   * @example ['user:admin']
   */
  defaultScopes: string[] | null;

  /**
   * Whether one owner's tokens must have different names.
   * @example false
   */
  hasUniqueNames: boolean;

  /**
   * Those of `scopes` and `suggestions` that the caller may give to a new token: all for a caller by password, else what
   * the token covers.
   * @example ['repo:read']
   */
  grantable: string[];

  /** @param caller who may grant what. */
  constructor({ name, description, scopes: rules, hasUniqueNames = false }: TokenApi, caller: Principal) {
    this.name = name;
    this.title = description.title;
    this.scopes = [...rules.vocabulary];
    this.suggestions = [...(rules.suggestions ?? [])];
    this.scopePattern = rules.pattern?.source ?? null;
    this.defaultScopes = rules.defaults ? [...rules.defaults] : null;
    this.hasUniqueNames = hasUniqueNames;
    const all = [...this.scopes, ...this.suggestions];
    const missing = new Set(caller.token ? caller.uncovered(caller.token.scopes, name, all) : []);
    this.grantable = all.filter((scope) => !missing.has(scope));
  }
}

/** All dialects. */
export class DialectPage {
  items: Dialect[];

  /** Always null: this is the only page. */
  nextCursor: string | null = null;

  constructor(items: Dialect[]) {
    this.items = items;
  }
}
