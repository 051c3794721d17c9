import { mkdirSync, writeFileSync } from 'node:fs';

const FOLDER = new URL('../results/', import.meta.url);

/** Keeps the raw results of a run as JSON, and says where. */
export function keepRaw(name, results) {
  mkdirSync(FOLDER, { recursive: true });
  const file = `${name}-${results.at.replaceAll(/[:.]/g, '-')}.json`;
  writeFileSync(new URL(file, FOLDER), JSON.stringify(results, null, 2));
  process.stderr.write(`Raw results: bench/results/${file}\n`);
}
