/** What may be done at a registry; `*` is all of it, also what no other word names. */
export const ACTIONS = ['pull', 'push', 'delete', '*'] as const;
export type Action = (typeof ACTIONS)[number];

/** What is asked for, or granted: `actions` on one thing of a registry. */
export interface Access {
  /** `repository`, or `registry` for the registry as a whole. */
  type: string;
  name: string;
  actions: string[];
}

/** What the Distribution specification takes for a repository's name. */
const REPOSITORY_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const MAX_NAME_LENGTH = 255;

/**
 * Parses `type:name:action,action …`, repeated or separated by spaces; entries for the same resource are merged.
 * Malformed entries request nothing.
 */
export function readAccess(scopes: readonly string[]): Access[] {
  const wanted = new Map<string, Access>();
  for (const scope of scopes.flatMap((text) => text.split(' '))) {
    // A name may hold a colon itself, where a client puts the registry's address before it.
    const [, type, name, list] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? [];
    if (type === undefined || name === undefined || list === undefined) continue;
    const known = wanted.get(`${type}:${name}`);
    const actions = list.split(',').filter((action) => action !== '');
    if (known) known.actions.push(...actions);
    else wanted.set(`${type}:${name}`, { type, name, actions });
  }
  return [...wanted.values()].map((access) => ({ ...access, actions: [...new Set(access.actions)] }));
}

/** The first part of a repository's name, which says whose it is; undefined for what is no such name. */
export function namespaceOf({ type, name }: Access): string | undefined {
  if (type !== 'repository' || name.length > MAX_NAME_LENGTH || !REPOSITORY_NAME.test(name)) return undefined;
  const slash = name.indexOf('/');
  return slash < 0 ? '' : name.slice(0, slash);
}

/** Whether the registry as a whole is meant: the list of all its repositories. */
export function isCatalog({ type, name }: Access): boolean {
  return type === 'registry' && name === 'catalog';
}

/** What is left of the wanted actions; undefined for nothing. */
export function narrowed(wanted: Access, allowed: readonly Action[]): Access | undefined {
  const actions = wanted.actions.filter((action) => allowed.some((one) => one === action));
  return actions.length === 0 ? undefined : { ...wanted, actions };
}
