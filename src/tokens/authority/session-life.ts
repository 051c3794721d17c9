/** A session that is not used for so long has ended. */
const MAX_IDLE_MINUTES = 60;

/**
 * The condition, in SQL, that the session of an alias has not run out: asked at every request, and again at the write. The
 * database's clock decides, the same for all replicas.
 */
export function hasTimeLeft(session: string): string {
  return `(${session}.expires_at > now() AND ${session}.last_used_at > now() - interval '${MAX_IDLE_MINUTES} minutes')`;
}
