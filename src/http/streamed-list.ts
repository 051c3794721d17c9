import { StreamableFile } from '@nestjs/common';
import { Readable } from 'node:stream';

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Answers with a list that may be too long to be held: what fits into one portion is given as it is, the rest is written
 * as it is read, in the same bytes. Where reading fails after the beginning was sent, the connection is broken: half a list
 * is not taken for a whole.
 *
 * @param portions at least one; an empty one only where there is nothing at all.
 * @param around what the list stands in, as JSON: `['[', ']']`.
 * @param whole makes the answer of the one portion.
 */
export async function listOrStream<Entry, Whole>(
  portions: AsyncGenerator<Entry[], void>,
  [begin, end]: readonly [string, string],
  whole: (entries: Entry[]) => Whole,
): Promise<Whole | StreamableFile> {
  const first = await portions.next();
  const second = await portions.next();
  const entries = first.done ? [] : first.value;
  if (second.done) return whole(entries);
  const stream = Readable.from(written(entries, second.value, portions, [begin, end]), { objectMode: false });
  return new StreamableFile(stream, { type: JSON_TYPE });
}

async function* written<Entry>(
  first: Entry[],
  second: Entry[],
  rest: AsyncGenerator<Entry[], void>,
  [begin, end]: readonly [string, string],
): AsyncGenerator<string> {
  yield begin + joined(first);
  yield `,${joined(second)}`;
  for await (const portion of rest) yield `,${joined(portion)}`;
  yield end;
}

function joined(entries: readonly unknown[]): string {
  return entries.map((entry) => JSON.stringify(entry)).join(',');
}

/** What a list shows of each that is read. */
export async function* portionsOf<Read, Shown>(
  portions: AsyncGenerator<Read[], void>,
  View: new (read: Read) => Shown,
): AsyncGenerator<Shown[], void> {
  for await (const portion of portions) yield portion.map((read) => new View(read));
}
