import type { LoggerService } from '@nestjs/common';
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';

/** A worker that ends sooner than this after it began is not replaced at once. */
const MIN_LIFE_MS = 5_000;

/**
 * Runs this program in several processes that share the port; each is a replica of its own. The first one
 * starts alone, so that what a first start prints is printed once and settings that are wrong end all of it.
 * One that dies is replaced.
 *
 * @returns when all of them listen.
 */
export async function runWorkers(count: number, logger: LoggerService): Promise<void> {
  cluster.setupPrimary({ exec: fileURLToPath(new URL('./main.js', import.meta.url)) });
  let isEnding = false;
  const end = (signal: NodeJS.Signals): void => {
    if (isEnding) return;
    isEnding = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  cluster.on('exit', (worker: Worker, code: number, signal: string | null) => {
    const isLast = Object.keys(cluster.workers ?? {}).length === 0;
    if (isEnding) {
      if (isLast) process.exit(0);
      return;
    }
    logger.error?.(`Worker ${worker.process.pid} ended (${signal ?? code}), a new one begins`, 'Patois');
    const livedMs = Date.now() - (births.get(worker) ?? 0);
    setTimeout(() => !isEnding && fork(), livedMs < MIN_LIFE_MS ? MIN_LIFE_MS : 0);
  });
  await listening();
  await Promise.all(Array.from({ length: count - 1 }, listening));
  logger.log(`${count} workers listen`, 'Patois');
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
