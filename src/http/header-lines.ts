import type { WithRaw } from '../protocol/dialect.js';

const NONE: readonly string[] = [];

/**
 * Every line of a header, in order, without the empty ones. Node's own view, asked first, would drop or join
 * repeated ones.
 *
 * @param name in lower case.
 */
export function headerLines({ raw: { headers, rawHeaders } }: WithRaw, name: string): readonly string[] {
  if (headers[name] === undefined) return NONE;
  const lines: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const key = rawHeaders[index] as string;
    if (key.length !== name.length || key.toLowerCase() !== name) continue;
    const line = (rawHeaders[index + 1] as string).trim();
    if (line !== '') lines.push(line);
  }
  return lines;
}
