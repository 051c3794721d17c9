import type { Framework, Strategy } from 'passport';
import type { MaybePromise } from '../maybe-promise.js';
import type { AuthenticationRequest } from './authentication-request.js';
import type { Principal } from './principal.js';

/** Returns the caller, or undefined if no strategy finds a credential of its kind. Throws a strategy's error. */
export type Authenticate = (request: AuthenticationRequest) => MaybePromise<Principal | undefined>;

/** How a passport framework finds strategies; missing in passport's types. */
interface WithStrategies {
  _strategy(name: string): Strategy;
}

/**
 * Replaces passport's Connect middleware (see `passport.framework`): it returns a value instead of calling back, and adds
 * nothing to the request.
 */
export const passportFramework: Framework<never, ReturnType<Authenticate>> = {
  initialize(): never {
    throw new Error('There are no sessions of passport here');
  },

  authenticate(passport, names: string | string[]): Authenticate {
    const known = passport as unknown as WithStrategies;
    const strategies = [names].flat().map((name) => known._strategy(name));
    return (request) => attempt(strategies, 0, request);
  },
};

/** The result of a strategy: a caller, an error, or neither if it finds no credential of its kind. */
interface Outcome {
  principal?: Principal;
  error?: unknown;
}

/** A strategy at work on one request, with passport's actions. It inherits from the strategy. */
interface Attempt {
  authenticate(request: AuthenticationRequest): void;
  success: typeof success;
  fail: typeof fail;
  error: typeof failWith;
  outcome: Outcome | undefined;
  /** Takes an outcome that comes after `authenticate` has returned. */
  resolve: ((outcome: Outcome) => void) | undefined;
}

const NO_CREDENTIAL: Outcome = {};

function attempt(
  strategies: readonly Strategy[],
  index: number,
  request: AuthenticationRequest,
): MaybePromise<Principal | undefined> {
  const strategy = strategies[index];
  if (!strategy) return undefined;
  const acting = Object.create(strategy) as Attempt;
  acting.outcome = undefined;
  acting.resolve = undefined;
  acting.success = success;
  acting.fail = fail;
  acting.error = failWith;
  acting.authenticate(request);
  if (acting.outcome) return conclude(acting.outcome, strategies, index, request);
  const outcome = new Promise<Outcome>((resolve) => (acting.resolve = resolve));
  return outcome.then((late) => conclude(late, strategies, index, request));
}

function conclude(
  outcome: Outcome,
  strategies: readonly Strategy[],
  index: number,
  request: AuthenticationRequest,
): MaybePromise<Principal | undefined> {
  if (outcome === NO_CREDENTIAL) return attempt(strategies, index + 1, request);
  if (outcome.principal) return outcome.principal;
  throw outcome.error;
}

function settle(acting: Attempt, outcome: Outcome): void {
  if (acting.resolve) acting.resolve(outcome);
  else acting.outcome = outcome;
}

function success(this: Attempt, principal: Principal): void {
  settle(this, { principal });
}

function fail(this: Attempt): void {
  settle(this, NO_CREDENTIAL);
}

function failWith(this: Attempt, error: unknown): void {
  settle(this, { error });
}
