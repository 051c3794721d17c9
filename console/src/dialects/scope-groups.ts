/** Scopes that are about the same, under one heading. */
export interface ScopeGroup {
  /** A message of `dialects:groups`, or a resource of which there is a noun; `''`: no heading. */
  key: string;
  isResource: boolean;
  scopes: string[];
}

/**
 * Groups scopes by what they are about: Losant's by resource, one and several together (`device.get`, `devices.get`); those
 * of Quay and Yunxiao by their first word. Others have no groups.
 */
export function groupScopes(dialect: string, scopes: readonly string[]): ScopeGroup[] {
  const groups = new Map<string, ScopeGroup>();
  for (const scope of scopes) {
    const { key, isResource } = headingOf(dialect, scope);
    const group = groups.get(key) ?? { key, isResource, scopes: [] };
    group.scopes.push(scope);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function headingOf(dialect: string, scope: string): Pick<ScopeGroup, 'key' | 'isResource'> {
  if (dialect === 'losant') {
    if (/^(all|only)\./.test(scope)) return { key: 'areas', isResource: false };
    return { key: oneOf(scope.split('.')[0] ?? scope), isResource: true };
  }
  if (dialect === 'quay') return { key: scope.split(':')[0] ?? '', isResource: false };
  if (dialect === 'yunxiao') return { key: scope.split('_')[0] ?? '', isResource: false };
  return { key: '', isResource: false };
}

/** `device` of `devices`, `instanceSandbox` of `instanceSandboxes`. */
function oneOf(resource: string): string {
  if (resource.endsWith('ies')) return `${resource.slice(0, -3)}y`;
  if (resource.endsWith('xes')) return resource.slice(0, -2);
  return resource.replace(/s$/, '');
}

/** A choice by one click. */
export type Quick = 'default' | 'read' | 'all';

/** The scopes of each choice by one click, as far as the caller may grant them; those that come to nothing are left out. */
export function quickChoices({
  name,
  defaultScopes,
  grantable,
}: {
  name: string;
  defaultScopes: readonly string[] | null;
  grantable: readonly string[];
}): [Quick, string[]][] {
  const all: [Quick, readonly string[]][] = [
    ['default', defaultScopes ?? []],
    ['read', grantable.filter((scope) => isReading(name, scope))],
    ['all', allOf(name, grantable)],
  ];
  return all
    .map(([quick, scopes]): [Quick, string[]] => [quick, scopes.filter((scope) => grantable.includes(scope))])
    .filter(([, scopes]) => scopes.length > 0);
}

function isReading(dialect: string, scope: string): boolean {
  switch (dialect) {
    case 'foreman':
      return scope.startsWith('foreman:view_');
    case 'quay':
      return scope.endsWith(':read');
    case 'panther':
      return scope.endsWith('Read') || scope.startsWith('View');
    case 'losant':
      return /^all\.(Application|Organization|Instance|User)\.read$/.test(scope);
    case 'yunxiao':
      return scope.endsWith('_read');
    default:
      return scope.endsWith('.read');
  }
}

/** As few as cover all: a token holds 500 scopes at most. */
function allOf(dialect: string, grantable: readonly string[]): readonly string[] {
  switch (dialect) {
    case 'foreman':
      return ['foreman:*'];
    case 'patois':
      return ['patois:*'];
    case 'losant':
      return grantable.filter((scope) => /^all\.(Application|Organization|Instance|User)$/.test(scope));
    case 'yunxiao':
      return grantable.filter((scope) => scope.endsWith('_read_write'));
    case 'quay':
      return grantable.filter((scope) => scope !== 'repo:read' && scope !== 'repo:write');
    default:
      return grantable;
  }
}
