/** A text of these alone is the same in JSON. */
const PLAIN = /^[\u0020\u0021\u0023-\u005b\u005d-\u007e]*$/;
/** So few are sorted quickest one by one; objects mostly have as few, and come in an order of their own. */
const FEW = 32;

/**
 * The one text that a JSON value has by the JSON Canonicalization Scheme (RFC 8785): no white space, keys sorted by their
 * UTF-16 code units, numbers and texts as ECMAScript writes them. What JSON leaves out (undefined) is left out here, what
 * it converts (a Date) is converted. Every event is written by it, and read back twice: it is to be quick.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  let members = '';
  for (const key of sorted(Object.keys(value))) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${quoted(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  // Half a surrogate pair, where a text was cut, is stored as the sign for what cannot be read.
  return JSON.stringify(text.toWellFormed());
}

/** Sorts keys where they are. */
function sorted(keys: string[]): string[] {
  if (keys.length > FEW) return keys.sort();
  for (let end = 1; end < keys.length; end += 1) {
    const key = keys[end] as string;
    let place = end;
    for (; place > 0 && (keys[place - 1] as string) > key; place -= 1)
      keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}
