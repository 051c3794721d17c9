/**
 * The words of one language for scopes, `scopes` of messages/<language>/dialects.json. This file imports nothing, so that
 * tests read it outside of the console.
 */
export interface ScopeMessages {
  /** By the whole name of a scope. */
  phrases: Record<string, string>;
  /** What a scope is about: `device` of `device.get`, `base_user` of `base_user_read`. */
  nouns: Record<string, string>;
  /** What Losant's scopes let do with `{{noun}}`; `getMany` is `get` of several. */
  verbs: Record<string, string>;
  /** Likewise Yunxiao's. */
  rights: Record<string, string>;
}

/** As the server knows the names of Yunxiao's permissions: an open set. */
const PERMISSION = /^([a-zA-Z]+(?:_[a-zA-Z]+)+?)_(read_write|read)$/;
const OPERATION = /^([a-zA-Z]+)\.([a-zA-Z]+|\*)$/;

/** What a scope lets do, in words; its name where there are none. */
export function scopeWords(scope: string, messages: ScopeMessages): string {
  return (
    messages.phrases[scope] ?? operationWords(scope, messages) ?? permissionWords(scope, messages) ?? scope
  );
}

/** What a scope is about, in words: the several of it where there are. */
export function nounOf(resource: string, { nouns }: ScopeMessages): string {
  return (
    nouns[`${resource}s`] ??
    nouns[`${resource}es`] ??
    nouns[resource.replace(/y$/, 'ies')] ??
    nouns[resource] ??
    resource
  );
}

/** `devices.get`: a verb with the noun that it is about. */
function operationWords(scope: string, { nouns, verbs }: ScopeMessages): string | undefined {
  const [, resource = '', verb = ''] = OPERATION.exec(scope) ?? [];
  const noun = nouns[resource];
  const isMany = resource.endsWith('s');
  const template = (isMany ? verbs[`${verb}Many`] : undefined) ?? verbs[verb];
  if (noun === undefined || template === undefined) return undefined;
  return template.replace('{{noun}}', noun);
}

/** `base_user_read`; of a resource that is not known, its name stands in the sentence. */
function permissionWords(scope: string, { nouns, rights }: ScopeMessages): string | undefined {
  const [, resource, right] = PERMISSION.exec(scope) ?? [];
  if (resource === undefined || right === undefined) return undefined;
  return rights[right]?.replace('{{noun}}', nouns[resource] ?? resource);
}
