const SPACES = new Set(' \t\r\n\f\v');

/**
 * A text without the ASCII white space around it. Not by a regular expression: one that looks for white space before the
 * end begins anew at each character of a long run within the text.
 */
export function withoutOuterSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACES.has(text.charAt(start))) start += 1;
  while (end > start && SPACES.has(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
