/** Runs what Ctrl-C is to end in good order: the signal aborts, and what runs decides. */
export async function interruptible<Result>(
  run: (interruption: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    return await run(interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
