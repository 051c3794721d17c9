// Builds dist where its sources are newer than what was built. Imported or run; of several at once one builds.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..');
const BUILT = join(ROOT, 'dist/console/index.html');
const SOURCES = [
  'src',
  'console/index.html',
  'console/messages',
  'console/package.json',
  'console/src',
  'console/vite.config.ts',
  'scripts/bundle.mjs',
  'migrations',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
  'package-lock.json',
].map((path) => join(ROOT, path));
const LOCK = join(ROOT, '.cache/building');
/** No build takes so long: such a lock was left by one that was killed. */
const STALE_LOCK_MS = 180_000;

function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isStale() {
  return !existsSync(BUILT) || Math.max(...SOURCES.map(newest)) > statSync(BUILT).mtimeMs;
}

function tryLock() {
  try {
    mkdirSync(LOCK);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function isLockStale() {
  const stats = statSync(LOCK, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > STALE_LOCK_MS;
}

if (isStale()) {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  while (!tryLock()) {
    if (isLockStale()) rmdirSync(LOCK);
    await sleep(100);
  }
  try {
    // Another process may have built while this one waited.
    if (isStale()) {
      const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
      if (status !== 0) process.exitCode = status ?? 1;
    }
  } finally {
    rmdirSync(LOCK);
  }
  if (process.exitCode) process.exit();
}
