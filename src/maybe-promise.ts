/**
 * A value at hand, or the promise of it: to await what is already in memory would cost more than the decision
 * itself.
 */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Goes on with a value: at once where it is at hand, and then with no promise made. */
export function andThen<Value, Next>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Hands over what comes of `run`, or what it throws, now or later; what `done` throws counts as well. */
export function settle<Value>(
  run: () => MaybePromise<Value>,
  done: (value: Value) => void,
  fail: (error: unknown) => void,
): void {
  try {
    const result = andThen(run(), done);
    if (result instanceof Promise) result.catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** What `run` gives, or what `instead` makes of what it throws, now or later. */
export function rescue<Value>(
  run: () => MaybePromise<Value>,
  instead: (error: unknown) => Value,
): MaybePromise<Value> {
  try {
    const result = run();
    return result instanceof Promise ? result.catch(instead) : result;
  } catch (error) {
    return instead(error);
  }
}
