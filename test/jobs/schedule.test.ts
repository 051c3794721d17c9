import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Database } from '../../src/database/database.js';
import { Schedule } from '../../src/jobs/schedule.js';
import type { ScheduledTask } from '../../src/jobs/scheduled-task.js';

const HOUR_MS = 3_600_000;

/** Of the embedded engine: this process is alone. */
const ALONE = { url: undefined } as Database;

let schedule: Schedule;
beforeAll(() => Logger.overrideLogger(false));
beforeEach(() => {
  jest.useFakeTimers();
  schedule = new Schedule(ALONE);
});
afterEach(async () => {
  await schedule.onApplicationShutdown();
  jest.useRealTimers();
});

/** A task that counts its runs, each of which does what `work` says. */
function counting(
  intervalMs: number,
  work: (ending?: AbortSignal) => Promise<void> = async () => {},
): ScheduledTask & { runs: number } {
  const task = {
    name: 'counting',
    intervalMs,
    runs: 0,
    run: (ending?: AbortSignal): Promise<void> => {
      task.runs += 1;
      return work(ending);
    },
  };
  schedule.add(task);
  return task;
}

describe('a scheduled task', () => {
  test('runs at the start and then after each interval', async () => {
    const task = counting(HOUR_MS);
    schedule.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(0);
    expect(task.runs).toBe(1);
    await jest.advanceTimersByTimeAsync(HOUR_MS - 1);
    expect(task.runs).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(task.runs).toBe(2);
  });

  test('rests from the end of a run: one that takes long does not overtake itself', async () => {
    const task = counting(1_000, () => new Promise((end) => setTimeout(end, 5_000)));
    schedule.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(5_999);
    expect(task.runs).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(task.runs).toBe(2);
    const ended = schedule.onApplicationShutdown();
    await jest.advanceTimersByTimeAsync(5_000);
    await ended;
  });

  test('that fails is tried again after a minute, or after its interval if that is shorter', async () => {
    const [rare, frequent] = [HOUR_MS, 10_000].map((interval) =>
      counting(interval, async () => {
        throw new Error('not today');
      }),
    );
    schedule.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(60_000);
    expect([rare?.runs, frequent?.runs]).toEqual([2, 7]);
  });

  test('that fails does not keep another from running', async () => {
    counting(HOUR_MS, async () => {
      throw new Error('not today');
    });
    const other = counting(HOUR_MS);
    schedule.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    expect(other.runs).toBe(2);
  });
});

describe('the end of the application', () => {
  test('waits for a run under way, and none comes after it', async () => {
    let isDone = false;
    const task = counting(1_000, async () => {
      await new Promise((end) => setTimeout(end, 3_000));
      isDone = true;
    });
    schedule.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(0);
    const ended = schedule.onApplicationShutdown().then(() => isDone);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await ended).toBe(true);
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    expect([task.runs, jest.getTimerCount()]).toEqual([1, 0]);
  });

  test('is told to a run that works in portions as soon as it begins, while requests are still served', async () => {
    let portions = 0;
    counting(HOUR_MS, async (ending) => {
      while (!ending?.aborted) {
        await new Promise((end) => setTimeout(end, 1_000));
        portions += 1;
      }
    });
    schedule.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(1_500);
    schedule.beforeApplicationShutdown();
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    expect(portions).toBe(2);
    await schedule.onApplicationShutdown();
  });
});
