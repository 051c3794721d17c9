// Prints `N passed, N failed` of a jest run from its --json file. Skipped and unfinished tests count as failed.
import { existsSync, readFileSync } from 'node:fs';

const [, , path] = process.argv;
let passed = 0;
let failed = 1;
if (existsSync(path)) {
  const run = JSON.parse(readFileSync(path, 'utf8'));
  passed = run.numPassedTests;
  failed = run.numFailedTests + run.numPendingTests + run.numTodoTests + run.numRuntimeErrorTestSuites;
  if (failed === 0 && (!run.success || passed === 0)) failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
