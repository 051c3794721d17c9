import { expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inTurns, Turnstile } from '../src/turnstile.js';

test('the first step of a turn runs at once, the others one by one in later turns, in their order', async () => {
  const turnstile = new Turnstile();
  const ran: string[] = [];
  for (const step of ['a', 'b', 'c']) turnstile.pass(() => ran.push(step));
  const seen = [ran.length];
  for (let turn = 0; turn < 4; turn += 1) {
    await nextTurn();
    seen.push(ran.length);
  }
  expect([ran.join(''), seen]).toEqual(['abc', [1, 2, 3, 3, 3]]);
  turnstile.pass(() => ran.push('d'));
  expect(ran.at(-1)).toBe('d');
});

test('a step that fails holds up no other', async () => {
  const turnstile = new Turnstile();
  const failing = (): void => {
    throw new Error('failed');
  };
  expect(() => turnstile.pass(failing)).toThrow('failed');
  const after = turnstile.turn();
  await nextTurn();
  await after;
  await turnstile.turn();
});

test('many steps keep their order, stop at the first that fails, and let others have their turn', async () => {
  let turns = 0;
  let isOver = false;
  const other = (): void => {
    turns += 1;
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  const wait = (ms: number): void => {
    for (const endsAt = performance.now() + ms; performance.now() < endsAt;);
  };
  const doubled = await inTurns([1, 2, 3, 4], (item, index) => {
    wait(12);
    return [item * 2, index];
  });
  isOver = true;
  expect(doubled).toEqual([
    [2, 0],
    [4, 1],
    [6, 2],
    [8, 3],
  ]);
  expect(turns).toBeGreaterThanOrEqual(3);
  const seen: number[] = [];
  const failing = inTurns([1, 2, 3], (item) => {
    seen.push(item);
    if (item === 2) throw new Error('failed');
  });
  await expect(failing).rejects.toThrow('failed');
  expect(seen).toEqual([1, 2]);
});
