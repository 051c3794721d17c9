import { describe, expect, test } from '@jest/globals';
import { PortionSize } from '../../src/jobs/portion-size.js';

describe('the size of a portion', () => {
  test('shrinks to the least while portions are long, and grows to the most while they are short', () => {
    const size = new PortionSize(10, 100);
    const sizes = (ms: number): number[] =>
      Array.from({ length: 12 }, () => {
        size.note(size.current, ms);
        return size.current;
      });
    expect(sizes(500)).toEqual([50, 25, 12, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
    expect(sizes(5)).toEqual([13, 17, 22, 28, 35, 44, 55, 69, 87, 100, 100, 100]);
  });

  test('stays where it is while portions take neither, and after one that had fewer', () => {
    const size = new PortionSize(10, 100);
    size.note(100, 500);
    size.note(50, 60);
    size.note(3, 5);
    expect(size.current).toBe(50);
  });
});
