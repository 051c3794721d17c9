/** Lets everything else go on until something is so. It looks at no clock: that of a test may stand still. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await isSo()); turns += 1) {
    if (turns > 1_000_000) throw new Error('It never came');
    await new Promise((resume) => setImmediate(resume));
  }
}
