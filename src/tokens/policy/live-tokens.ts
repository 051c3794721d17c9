import { LOCK_SPACES } from '../../database/advisory-lock.js';
import { type StatementRunner, statementOf } from '../../database/statements.js';

/** Of the digits of a uuid: enough that owners seldom meet, and few enough to be held all at once. */
const BUCKET_DIGITS = 3;

const LOCK_OWNERS = statementOf(
  'lock-owners',
  'SELECT pg_advisory_xact_lock($1, bucket) FROM unnest($2::int[]) AS bucket',
);
const COUNT_LIVE = statementOf(
  'count-live',
  `SELECT owner_id, count(*)::int AS count FROM tokens
   WHERE owner_id = ANY ($1::uuid[]) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
   GROUP BY owner_id`,
);

/**
 * How many tokens each of some owners has that are neither revoked nor expired. Whoever counts for one of them next waits
 * until this transaction has ended, on whichever replica: the rows that are locked are locked shared, and say nothing of
 * rows that are yet to come.
 *
 * The count is a statement of its own, so that it sees what was written before the lock was given; both go out at once.
 * Owners share 4,096 locks, which are taken in one order.
 */
export async function countLive(
  runner: StatementRunner,
  ownerIds: readonly string[],
): Promise<Map<string, number>> {
  const buckets = new Set(ownerIds.map((id) => Number.parseInt(id.slice(0, BUCKET_DIGITS), 16)));
  const inOrder = [...buckets].sort((one, other) => one - other);
  const [locked, counted] = await Promise.allSettled([
    runner.run(LOCK_OWNERS, [LOCK_SPACES.owners, inOrder]),
    runner.run<{ owner_id: string; count: number }>(COUNT_LIVE, [ownerIds, new Date()]),
  ]);
  if (locked.status === 'rejected') throw locked.reason;
  if (counted.status === 'rejected') throw counted.reason;
  return new Map(counted.value.map(({ owner_id, count }) => [owner_id, count]));
}
