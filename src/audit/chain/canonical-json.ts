/**
 * The one text that a JSON value has by the JSON Canonicalization Scheme (RFC 8785): no white space, keys sorted by their
 * UTF-16 code units, numbers and texts as ECMAScript writes them. What JSON leaves out (undefined) is left out here, what
 * it converts (a Date) is converted.
 */
export function canonicalJson(value: unknown): string {
  // Half a surrogate pair, where a text was cut, is stored as the sign for what cannot be read.
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}
