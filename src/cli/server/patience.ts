import { setTimeout as sleep } from 'node:timers/promises';
import { ApiFailure } from './api.js';

const MAX_ATTEMPTS = 5;
const LONGEST_PAUSE_S = 90;
/** What passes: a limit of calls, a server that is busy or restarts. */
const PASSING = [429, 502, 503, 504];

/** Asks what may be asked twice again, where no answer came, or the server has no time for it. */
export async function patiently<Answer>(
  interruption: AbortSignal,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const seconds = secondsToWait(error, attempt);
      if (seconds === undefined || attempt === MAX_ATTEMPTS) throw error;
      await sleep(seconds * 1000, undefined, { signal: interruption }).catch(() => undefined);
      if (interruption.aborted) throw error;
    }
  }
}

/** Undefined: it would be no better later. */
function secondsToWait(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof ApiFailure)) return undefined;
  const { answer } = error;
  if (answer && !PASSING.includes(answer.status)) return undefined;
  return Math.min(answer?.retryAfterSeconds ?? 2 ** (attempt - 1), LONGEST_PAUSE_S);
}
