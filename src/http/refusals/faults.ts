import { isDatabaseUnavailable } from '../../database/errors.js';
import { Refusal } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';

/** What a fault means to the client: that the database is away, or nothing but that the server failed. */
export function refusalOfFault(error: unknown): Refusal {
  if (isDatabaseUnavailable(error)) return new Refusal('unavailable', { cause: error, retryAfterSeconds: 1 });
  return new Refusal('internal', { cause: error });
}

/** A fault as the log shows it. */
export function shownFault(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return withoutSecrets(text);
}
