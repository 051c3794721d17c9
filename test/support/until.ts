const MAX_WAIT_MS = 60_000;
const BUSY_TURNS = 1_000;

// Those of the process: a test may let its own clock stand still.
const later = globalThis.setTimeout;
const now = performance.now.bind(performance);

/** Lets everything else go on until something is so, for a minute at most, whatever the clock of the test says. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = now() + MAX_WAIT_MS;
  for (let turns = 0; !(await isSo()); turns += 1) {
    if (now() > endsAt) throw new Error('It never came');
    // First in the next turn; what takes longer is not kept from the processor.
    await new Promise<void>((resume) => (turns < BUSY_TURNS ? setImmediate(resume) : later(resume, 1)));
  }
}
