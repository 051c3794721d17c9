import { jest } from '@jest/globals';

/**
 * Sets the clock of this process on by so many milliseconds, where it stands still until it is moved again, or set right
 * by `jest.useRealTimers()`. `Date` alone: timers run, and the database keeps its own time.
 */
export function moveClock(ms: number): void {
  const now = Date.now() + ms;
  jest.useFakeTimers({
    now,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
}
