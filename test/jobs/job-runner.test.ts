import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Database } from '../../src/database/database.js';
import { JobRunner } from '../../src/jobs/job-runner.js';
import type { Job } from '../../src/jobs/job.js';

const HOUR_MS = 3_600_000;

/** Of the embedded engine: this process is alone. */
const ALONE = { url: undefined } as Database;

let runner: JobRunner;
beforeAll(() => Logger.overrideLogger(false));
beforeEach(() => {
  jest.useFakeTimers();
  runner = new JobRunner(ALONE);
});
afterEach(async () => {
  await runner.onApplicationShutdown();
  jest.useRealTimers();
});

/** A job that counts its runs, each of which does what `work` says. */
function counting(intervalMs: number, work: () => Promise<void> = async () => {}): Job & { runs: number } {
  const job = {
    name: 'counting',
    intervalMs,
    runs: 0,
    run: (): Promise<void> => {
      job.runs += 1;
      return work();
    },
  };
  runner.add(job);
  return job;
}

describe('a job', () => {
  test('runs at the start and then after each interval', async () => {
    const job = counting(HOUR_MS);
    runner.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(0);
    expect(job.runs).toBe(1);
    await jest.advanceTimersByTimeAsync(HOUR_MS - 1);
    expect(job.runs).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(job.runs).toBe(2);
  });

  test('rests from the end of a run: one that takes long does not overtake itself', async () => {
    const job = counting(1_000, () => new Promise((end) => setTimeout(end, 5_000)));
    runner.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(5_999);
    expect(job.runs).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(job.runs).toBe(2);
    const ended = runner.onApplicationShutdown();
    await jest.advanceTimersByTimeAsync(5_000);
    await ended;
  });

  test('that fails is tried again after a minute, or after its interval if that is shorter', async () => {
    const [rare, frequent] = [HOUR_MS, 10_000].map((interval) =>
      counting(interval, async () => {
        throw new Error('not today');
      }),
    );
    runner.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(60_000);
    expect([rare?.runs, frequent?.runs]).toEqual([2, 7]);
  });

  test('that fails does not keep another from running', async () => {
    counting(HOUR_MS, async () => {
      throw new Error('not today');
    });
    const other = counting(HOUR_MS);
    runner.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    expect(other.runs).toBe(2);
  });
});

describe('the end of the application', () => {
  test('waits for a run under way, and none comes after it', async () => {
    let isDone = false;
    const job = counting(1_000, async () => {
      await new Promise((end) => setTimeout(end, 3_000));
      isDone = true;
    });
    runner.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(0);
    const ended = runner.onApplicationShutdown().then(() => isDone);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await ended).toBe(true);
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    expect([job.runs, jest.getTimerCount()]).toEqual([1, 0]);
  });
});
