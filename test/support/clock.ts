import { jest } from '@jest/globals';

const TIMEOUTS = ['setTimeout', 'clearTimeout'] as const;
const OTHERS = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
] as const;

/**
 * Sets the clock of this process on by so many milliseconds, where it stands still until it is moved again, or set right
 * by `jest.useRealTimers()`. `Date` alone: timers run, and the database keeps its own time.
 */
export function moveClock(ms: number): void {
  const now = Date.now() + ms;
  jest.useFakeTimers({ now, doNotFake: [...OTHERS, ...TIMEOUTS] });
}

/** Stops time-outs until `jest.advanceTimersByTime()` moves them, or `jest.useRealTimers()` lets the next ones run. */
export function stopTimeouts(): void {
  jest.useFakeTimers({ doNotFake: [...OTHERS, 'Date'] });
}
