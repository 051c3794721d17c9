import { describe, expect, test } from '@jest/globals';
import { finished } from 'node:stream/promises';
import { ExportStream } from '../../src/administration/exports/export-stream.js';

const LIMITS = { stallMs: 60_000, wholeMs: 60_000 };

/** A stream of `count` texts of 10 kB; `state` says how many were made, and how often they were released. */
function streamOf(
  count: number,
  limits = LIMITS,
): { stream: ExportStream; state: { made: number; released: number } } {
  const state = { made: 0, released: 0 };
  async function* texts(): AsyncGenerator<string> {
    for (; state.made < count; state.made += 1) {
      await new Promise((resume) => setImmediate(resume));
      yield 'x'.repeat(10_000);
    }
  }
  const release = async (): Promise<void> => {
    state.released += 1;
  };
  return { stream: new ExportStream(texts(), release, limits), state };
}

function wait(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}

describe('ExportStream', () => {
  test('gives every text, and releases once', async () => {
    const { stream, state } = streamOf(100);
    let length = 0;
    for await (const chunk of stream) length += (chunk as Buffer).length;
    expect([length, state]).toEqual([1_000_000, { made: 100, released: 1 }]);
  });

  test('makes no more than a few texts for a reader who takes none', async () => {
    const { stream, state } = streamOf(1_000);
    stream.read(0);
    await wait(50);
    expect(state.made).toBeGreaterThan(0);
    expect(state.made).toBeLessThan(10);
    stream.destroy();
  });

  test('fails, and releases, when the reader stops taking what there is', async () => {
    const { stream, state } = streamOf(1_000, { ...LIMITS, stallMs: 20 });
    stream.read(0);
    await expect(finished(stream)).rejects.toThrow('The reader takes nothing');
    expect(state.released).toBe(1);
  });

  test('fails, and releases, when nobody ever reads', async () => {
    const { stream, state } = streamOf(1_000, { ...LIMITS, stallMs: 20 });
    await expect(finished(stream)).rejects.toThrow('The reader takes nothing');
    expect(state).toEqual({ made: 0, released: 1 });
  });

  test('fails at the end of the time that the whole may take, however steadily it is read', async () => {
    const { stream, state } = streamOf(Infinity, { ...LIMITS, wholeMs: 50 });
    stream.on('data', () => {});
    await expect(finished(stream)).rejects.toThrow('The export took too long');
    expect(state.released).toBe(1);
  });

  test('fails, and releases, where a text cannot be made', async () => {
    let released = 0;
    async function* texts(): AsyncGenerator<string> {
      yield 'one';
      throw new Error('no more');
    }
    const release = async (): Promise<void> => {
      released += 1;
    };
    const stream = new ExportStream(texts(), release, LIMITS);
    stream.on('data', () => {});
    await expect(finished(stream)).rejects.toThrow('no more');
    expect(released).toBe(1);
  });
});
