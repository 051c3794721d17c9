import { describe, expect, test } from '@jest/globals';
import { Semaphore } from '../src/semaphore.js';
import { Refusal } from '../src/refusal.js';
import { networkOf } from '../src/network/cidr.js';

/** Tasks that begin when their turn has come, and end when they are told to. */
class Queue {
  readonly begun: string[] = [];
  readonly refused: string[] = [];
  private readonly ends: (() => void)[] = [];
  private readonly semaphore: Semaphore;

  constructor(mostAtOnce: number, mostWaiting: number) {
    this.semaphore = new Semaphore(mostAtOnce, mostWaiting, () => new Refusal('tooMany'));
  }

  come(line: string, name: string): void {
    const task = (): Promise<void> => {
      this.begun.push(name);
      return new Promise((resolve) => this.ends.push(resolve));
    };
    this.semaphore.run(line, task).catch(() => this.refused.push(name));
  }

  /** Ends the task that began first, and lets what follows from it happen. */
  async end(): Promise<void> {
    this.ends.shift()?.();
    await new Promise(setImmediate);
  }
}

describe('who waits', () => {
  test('comes in turn by line: one rightful caller is next but one, behind however many', async () => {
    const queue = new Queue(1, 100);
    for (let index = 0; index < 50; index += 1) queue.come('flood', `flood ${index}`);
    queue.come('other', 'rightful');
    await queue.end();
    await queue.end();
    expect(queue.begun).toEqual(['flood 0', 'flood 1', 'rightful']);
    await queue.end();
    expect(queue.begun.at(-1)).toBe('flood 2');
  });

  test('is refused beyond the bound, and finds a place again when one is free', async () => {
    const queue = new Queue(2, 3);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) queue.come('one', name);
    await queue.end();
    expect([queue.begun, queue.refused]).toEqual([['a', 'b', 'c'], ['f']]);
    queue.come('one', 'g');
    queue.come('one', 'h');
    await queue.end();
    expect([queue.begun, queue.refused]).toEqual([
      ['a', 'b', 'c', 'd'],
      ['f', 'h'],
    ]);
  });

  test('pushes out the newest of the longest line, where others fill all places', async () => {
    const queue = new Queue(1, 3);
    for (const name of ['a', 'b', 'c', 'd']) queue.come('flood', name);
    queue.come('other', 'rightful');
    await queue.end();
    await queue.end();
    expect([queue.begun, queue.refused]).toEqual([['a', 'b', 'rightful'], ['d']]);
  });

  test('who has waited too long is refused, and who comes after is not', async () => {
    const semaphore = new Semaphore(1, 10, () => new Refusal('unavailable'), 20);
    let end = (): void => {};
    const first = semaphore.run('one', () => new Promise<void>((resolve) => (end = resolve)));
    await expect(semaphore.run('two', () => Promise.resolve())).rejects.toThrow(Refusal);
    expect(semaphore.load).toEqual({ running: 1, waiting: 0 });
    const third = semaphore.run('two', () => Promise.resolve('done'));
    end();
    await first;
    expect(await third).toBe('done');
    expect(semaphore.load).toEqual({ running: 0, waiting: 0 });
  });

  test('never more at once than allowed, also when one fails', async () => {
    const semaphore = new Semaphore(1, 10, () => new Refusal('tooMany'));
    await expect(semaphore.run('one', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await semaphore.run('one', () => Promise.resolve('done'))).toBe('done');
  });
});

describe('whose an address is', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    [undefined, 'unknown'],
  ])('of %s: %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
