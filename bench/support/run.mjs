import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepRaw } from './results.mjs';
import { rotated } from './statistics.mjs';

const running = [];
let ending;

/** Runs a script; whatever it keeps is stopped at the end, and when the script is ended. */
export async function run(main) {
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void end().then(() => process.exit(130)));
  try {
    await main();
  } catch (error) {
    // What is being ended fails what waits for it.
    if (!ending) throw error;
  } finally {
    await end();
  }
}

/** Keeps what must be stopped at the end: the last one first. */
export async function keep(starting) {
  const started = await starting;
  if (started) running.unshift(started);
  return started;
}

/** A folder that is removed at the end. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'patois-bench-'));
  running.unshift({ stop: () => rmSync(folder, { recursive: true, force: true }) });
  return folder;
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Gives everybody a turn in each round, beginning at another one each time.
 *
 * @param work is given one and the number of the round.
 * @param step by how many the beginning moves.
 */
export async function inRounds(rounds, everybody, work, { title = 'Round', step = 1 } = {}) {
  for (let round = 0; round < rounds; round += 1) {
    say(`${title} ${round + 1} of ${rounds}`);
    for (const one of rotated(everybody, round * step)) await work(one, round);
  }
}

/** Prints what was found, and keeps the raw results. */
export function show(name, results, text) {
  process.stdout.write(`\n${text}\n`);
  keepRaw(name, results);
}

/** A run in which requests failed ends with an error. */
export function fail(failures) {
  if (failures === 0) return;
  say(`${failures} requests failed: these figures mean nothing`);
  process.exitCode = 1;
}

function end() {
  ending ??= stopAll();
  return ending;
}

async function stopAll() {
  while (running.length > 0) await running.shift().stop();
}
