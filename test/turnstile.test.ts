import { expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turnstile } from '../src/turnstile.js';

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
