import { describe, expect, test } from '@jest/globals';
import { PortionSize } from '../../src/jobs/portion-size.js';

describe('the size of a portion', () => {
  test('grows to the most while portions are short, and shrinks to the least while they are long', () => {
    const size = new PortionSize(10, 100);
    const sizes = (ms: number): number[] =>
      Array.from({ length: 12 }, () => {
        size.note(size.current, ms);
        return size.current;
      });
    expect(sizes(5)).toEqual([25, 32, 40, 50, 63, 79, 99, 100, 100, 100, 100, 100]);
    expect(sizes(500)).toEqual([50, 25, 12, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
  });

  test('stays where it is while portions take neither, and after one that had fewer', () => {
    const size = new PortionSize(10, 100);
    size.note(20, 60);
    size.note(3, 5);
    expect(size.current).toBe(20);
  });
});
