import type { OnApplicationShutdown } from '@nestjs/common';
import type { BatchedLookup } from '../../database/batched-lookup.js';
import { CHANNEL } from '../../database/changes/change-feed.js';
import { type StatementRunner, type Statements, statementOf } from '../../database/statements.js';
import type { HashingService } from '../../hashing/hashing.service.js';
import type { Token } from '../token.entity.js';
import type { Rider } from '../token-writes.js';
import { LATE_RETRY_MS, MAX_RETIRED, OVERLAP_MS, RETIRED_DAYS, type RotatedValues } from './rotation.js';

const DAY_MS = 86_400_000;
/** It turning up again is one audit event in this time, whichever replica meets it. */
const REPEAT_INTERVAL_MS = 60_000;
const PURGED_A_STATEMENT = 10_000;

/**
 * Anybody who knows a token id can have this asked: so it has one connection, which nothing else waits for, and a flood of
 * wrong values of one token asks it together.
 */
export const RETIRED_LOOKUP = {
  name: 'retired',
  text: `SELECT token_uuid, array_agg(digest) AS digests, array_agg(digest_key) AS keys, array_agg(retired_at) AS times
    FROM retired_values WHERE token_uuid = ANY ($1) GROUP BY token_uuid`,
  keyOf: (row: RetiredRow) => row.token_uuid,
  connections: 1,
};

/** Does nothing where the token was rotated again, or its grace was cut short by another replica. */
const RETIRE_PREVIOUS = statementOf(
  'retire-previous',
  `WITH cut AS (UPDATE tokens SET previous_valid_until = $3, retires_on_first_use = false
      WHERE id = $1 AND previous_digest = $2 AND retires_on_first_use AND previous_valid_until > $3
      RETURNING id, token_id),
    retired AS (UPDATE retired_values SET retired_at = $3 FROM cut WHERE token_uuid = cut.id AND digest = $2)
    SELECT pg_notify('${CHANNEL}', token_id) FROM cut`,
);

const NOTE_REUSE = statementOf(
  'note-reuse',
  `UPDATE retired_values SET reused_at = $3 WHERE token_uuid = $1 AND digest = $2
      AND NOT EXISTS (SELECT FROM retired_values WHERE token_uuid = $1 AND reused_at > $4)
    RETURNING retired_at`,
);

const PURGE = statementOf(
  'purge-retired',
  `DELETE FROM retired_values WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM retired_values WHERE retired_at < $1 LIMIT ${PURGED_A_STATEMENT}))
    RETURNING 1 AS gone`,
);

/** What the retired values of a token are known by, in three lists of one length. */
export interface RetiredRow {
  token_uuid: string;
  digests: Buffer[];
  keys: string[];
  times: Date[];
}

/** The values that tokens had: their last five, for 90 days after their end. */
export class RetiredValues implements OnApplicationShutdown {
  constructor(
    private readonly lookup: BatchedLookup<RetiredRow>,
    private readonly statements: Statements,
    private readonly hashing: HashingService,
  ) {}

  onApplicationShutdown(): Promise<void> {
    return this.lookup.close();
  }

  /** When a value that is not a token's any more was retired, and its digest; undefined where it never was the token's. */
  async find(tokenUuid: string, value: string): Promise<{ digest: Buffer; retiredAt: Date } | undefined> {
    const row = await this.lookup.row(tokenUuid);
    const since = new Date(Date.now() - RETIRED_DAYS * DAY_MS);
    for (const [index, digest] of (row?.digests ?? []).entries()) {
      const [keyName, retiredAt] = [row?.keys[index], row?.times[index]];
      if (keyName === undefined || retiredAt === undefined || retiredAt <= since) continue;
      if (this.hashing.matchesToken(value, { digest, keyName })) return { digest, retiredAt };
    }
    return undefined;
  }

  /**
   * Cuts short how long the value before a rotation works, for the new one has been used.
   *
   * @param previousDigest of the value before: the rotation that is meant.
   */
  async retirePrevious(tokenUuid: string, previousDigest: Buffer): Promise<void> {
    await this.statements.run(RETIRE_PREVIOUS, [
      tokenUuid,
      previousDigest,
      new Date(Date.now() + OVERLAP_MS),
    ]);
  }

  /**
   * Notes that a retired value has turned up. The token is locked.
   *
   * @returns when the value was retired; undefined where the token was noted less than a minute ago.
   */
  async noteReuse(runner: StatementRunner, tokenUuid: string, digest: Buffer): Promise<Date | undefined> {
    const now = new Date();
    const before = new Date(now.getTime() - REPEAT_INTERVAL_MS);
    const [row] = await runner.run<{ retired_at: Date }>(NOTE_REUSE, [tokenUuid, digest, now, before]);
    return row?.retired_at;
  }

  /** Deletes what is not to be known any more, a portion at a time. */
  async purge(ending?: AbortSignal): Promise<void> {
    const before = new Date(Date.now() - RETIRED_DAYS * DAY_MS);
    for (let isMore = true; isMore && !ending?.aborted;) {
      const gone = await this.statements.run(PURGE, [before]);
      isMore = gone.length === PURGED_A_STATEMENT;
    }
  }
}

/** Writes the value that a rotation replaces, with the rotation: one in its grace ends, and the sixth is forgotten. */
export function retirement(before: Token, after: RotatedValues): Rider {
  const { id, digest, digestKey } = before;
  return {
    name: 'retirement',
    expressions: (place) => {
      const [tokenUuid, kept, key, at, end] = ['uuid', 'bytea', 'text', 'timestamptz', 'timestamptz'].map(
        (type) => `${place(undefined)}::${type}`,
      );
      return `ended AS (UPDATE retired_values SET retired_at = ${at} WHERE token_uuid = ${tokenUuid} AND retired_at > ${at}),
        retired AS (INSERT INTO retired_values (token_uuid, digest, digest_key, retired_at)
          VALUES (${tokenUuid}, ${kept}, ${key}, ${end})),
        forgotten AS (DELETE FROM retired_values WHERE token_uuid = ${tokenUuid} AND digest IN (
          SELECT digest FROM retired_values WHERE token_uuid = ${tokenUuid}
          ORDER BY retired_at DESC OFFSET ${MAX_RETIRED - 1}))`;
    },
    values: [id, digest, digestKey, after.rotatedAt, after.previousValidUntil ?? after.rotatedAt],
  };
}

/** Whether a retired value comes so late that no client on its way to the new one sends it. */
export function isReuse(retiredAt: Date, now: number): boolean {
  return now - retiredAt.getTime() >= LATE_RETRY_MS;
}
