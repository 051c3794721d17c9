import type { LoggerService } from '@nestjs/common';
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';

/** A worker that ends sooner than this after it began is not replaced at once. */
const MIN_LIFE_MS = 5_000;
/** How much later than a worker itself the first process ends one that does not. */
const LATER_MS = 500;

/**
 * Runs this program in several processes that share the port; each is a replica of its own. The first one
 * starts alone, so that what a first start prints is printed once and settings that are wrong end all of it.
 * One that dies is replaced. A signal ends them all, with exit code 0 where each of them ended in order.
 *
 * @param shutdownTimeoutSeconds what each worker ends within by itself.
 * @returns when all of them listen.
 */
export async function runWorkers(
  count: number,
  shutdownTimeoutSeconds: number,
  logger: LoggerService,
): Promise<void> {
  cluster.setupPrimary({ exec: fileURLToPath(new URL('./main.js', import.meta.url)) });
  let ending: NodeJS.Signals | undefined;
  let exitCode = 0;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) return;
    ending = signal;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal);
    setTimeout(killAll, shutdownTimeoutSeconds * 1000 + LATER_MS);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  cluster.on('exit', (worker: Worker, code: number, signal: string | null) => {
    const isLast = Object.keys(cluster.workers ?? {}).length === 0;
    if (ending) {
      // One that was about to start ends by the signal itself, and loses nothing.
      if (code !== 0 && signal !== ending) exitCode = 1;
      if (isLast) process.exit(exitCode);
      return;
    }
    logger.error?.(`Worker ${worker.process.pid} ended (${signal ?? code}), a new one begins`, 'Patois');
    const livedMs = Date.now() - (births.get(worker) ?? 0);
    setTimeout(() => !ending && fork(), livedMs < MIN_LIFE_MS ? MIN_LIFE_MS : 0);
  });
  await listening();
  await Promise.all(Array.from({ length: count - 1 }, listening));
  logger.log(`${count} workers listen`, 'Patois');
}

/** For those that are frozen: they cannot end themselves. */
function killAll(): void {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
}

const births = new WeakMap<Worker, number>();

function fork(): Worker {
  const worker = cluster.fork();
  births.set(worker, Date.now());
  return worker;
}

/** Starts a worker; one that ends before it listens ends the whole start, with its code. */
function listening(): Promise<void> {
  const worker = fork();
  return new Promise((resolve) => {
    const fail = (code: number): never => process.exit(code || 1);
    worker.once('exit', fail);
    worker.once('listening', () => {
      worker.off('exit', fail);
      resolve();
    });
  });
}
