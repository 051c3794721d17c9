// What Ruby's `String#strip` takes away, but for NUL, which no name may have; Foreman calls it in
// https://github.com/theforeman/foreman/blob/develop/app/models/concerns/strip_whitespace.rb
const SPACES = new Set(' \t\r\n\f\v');

/**
 * A text without the ASCII white space around it. Without a regular expression: one that looks for white
 * space at the end starts again at each character of a long run inside the text.
 */
export function withoutOuterSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACES.has(text.charAt(start))) start += 1;
  while (end > start && SPACES.has(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
