import { createReadStream } from 'node:fs';
import { usageError } from '../exit.js';

/**
 * The text of a file, piece by piece.
 *
 * @param onBytes is told how many bytes have been read so far.
 * @throws {CommandError} where it cannot be read, or is not UTF-8.
 */
export async function* textOf(path: string, onBytes: (count: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let count = 0;
  try {
    for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
      count += bytes.length;
      onBytes(count);
      yield decoder.decode(bytes, { stream: true });
    }
    decoder.decode();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw usageError(`${path} is not UTF-8`);
    throw usageError(`${path} cannot be read: ${code}`);
  }
}

/**
 * Lines with their numbers, without their ends; empty ones are left out.
 *
 * @throws {CommandError} for a line that is longer than anything that is meant.
 */
export async function* linesOf(
  pieces: AsyncIterable<string>,
  longest: number,
): AsyncGenerator<{ line: number; text: string }> {
  let line = 0;
  let begun = '';
  for await (const piece of pieces) {
    const texts = (begun + piece).split('\n');
    begun = texts.pop() ?? '';
    for (const text of texts) {
      line += 1;
      if (text.trim() !== '') yield { line, text };
    }
    if (begun.length > longest) throw usageError(`Line ${line + 1} is longer than ${longest} characters`);
  }
  if (begun.trim() !== '') yield { line: line + 1, text: begun };
}
