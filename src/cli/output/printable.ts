/**
 * What a terminal obeys, or what changes the order of what stands around it: control characters of both blocks, separators
 * of lines, marks and overrides of direction. A name that someone else chose may hold them.
 */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text of one line that can be read and does nothing: what a terminal would obey is written as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${codeOf(character)}}`);
}

/** A value as JSON; what a terminal would obey is escaped in it as JSON has it. */
export function printableJson(value: unknown, indent?: number): string {
  // Line breaks in there are those of the layout.
  const escape = (character: string): string =>
    character === '\n' ? character : `\\u${codeOf(character).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replace(UNPRINTABLE, escape);
}

function codeOf(character: string): string {
  return character.charCodeAt(0).toString(16);
}
