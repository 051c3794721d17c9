/** A value at hand, or the promise of it: whoever waits for what is remembered pays more for waiting than for the verdict. */
export type Soon<Value> = Value | Promise<Value>;

/** Goes on with a value: at once where it is at hand, and then with no promise made. */
export function after<Value, Next>(soon: Soon<Value>, next: (value: Value) => Soon<Next>): Soon<Next> {
  return soon instanceof Promise ? soon.then(next) : next(soon);
}

/** Hands over what comes of `run`, or what it throws, now or later; what `done` throws counts as well. */
export function settle<Value>(
  run: () => Soon<Value>,
  done: (value: Value) => void,
  fail: (problem: unknown) => void,
): void {
  try {
    const soon = after(run(), done);
    if (soon instanceof Promise) soon.catch(fail);
  } catch (problem) {
    fail(problem);
  }
}

/** What `run` gives, or what `instead` makes of what it throws, now or later. */
export function rescue<Value>(run: () => Soon<Value>, instead: (problem: unknown) => Value): Soon<Value> {
  try {
    const soon = run();
    return soon instanceof Promise ? soon.catch(instead) : soon;
  } catch (problem) {
    return instead(problem);
  }
}
