import { Injectable } from '@nestjs/common';
import type { StatementRunner } from '../../database/statements.js';
import { type Transaction, Transactions } from '../../database/transactions.js';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';
import type { TokenNotice } from '../../notices/notice.js';
import { Outbox } from '../../notices/outbox.js';

const DAY_MS = 86_400_000;
const TOKENS_A_PORTION = 500;
/** None comes after it: a portion that ends with it ends with all of an expiry. */
const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

interface Stage {
  /** Kept with the progress, and in the occasion of a notice. */
  name: string;
  event: 'token.expiring' | 'token.expired';
  /** How long before the expiry it begins, and how long before the expiry the next one does. */
  beginsMs: number;
  endsMs: number;
}

/** Each ends where the next begins. An expiry is told of for a week: nobody needs to know of an older one. */
const STAGES: Stage[] = [
  { name: '30 days', event: 'token.expiring', beginsMs: 30 * DAY_MS, endsMs: 7 * DAY_MS },
  { name: '7 days', event: 'token.expiring', beginsMs: 7 * DAY_MS, endsMs: DAY_MS },
  { name: '1 day', event: 'token.expiring', beginsMs: DAY_MS, endsMs: 0 },
  { name: 'expired', event: 'token.expired', beginsMs: 0, endsMs: -7 * DAY_MS },
];

interface ExpiringToken {
  id: string;
  token_id: string;
  dialect: string;
  name: string;
  owner_id: string;
  organization_id: string;
  expires_at: Date;
  lives_since: Date;
}

interface Progress {
  expires_at: Date;
  token_uuid: string;
}

/**
 * Tells, once for each token, its expiry and stage, that a token expires. Each stage has got as far as some expiry; a run
 * takes the tokens from there to those at which the stage begins now, a portion at a time, each in a transaction that locks
 * the progress and moves it on: whoever else runs goes on behind it. A server that was off for long tells of each token the
 * stage that it is in, and none before.
 */
@Injectable()
export class ExpiryNoticesTask implements ScheduledTask {
  readonly name = 'expiry-notices';
  readonly intervalMs = 60_000;

  constructor(
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  async run(ending?: AbortSignal): Promise<void> {
    for (const stage of STAGES) {
      const now = new Date();
      for (let isMore = true; isMore && !ending?.aborted;) {
        isMore = await this.transactions.run(this.name, (transaction) =>
          this.portion(transaction, stage, now),
        );
      }
    }
  }

  /** @returns whether there may be more. */
  private async portion(transaction: Transaction, stage: Stage, now: Date): Promise<boolean> {
    const end = new Date(now.getTime() + stage.beginsMs);
    const reached = await lockProgress(transaction, stage, end);
    if (reached.expires_at >= end) return false;
    const soonest = new Date(now.getTime() + stage.endsMs);
    const from = reached.expires_at < soonest ? { expires_at: soonest, token_uuid: LAST_UUID } : reached;
    const isWanted = await this.outbox.isWanted(transaction, stage.event);
    const tokens = isWanted ? await findExpiring(transaction, from, end) : [];
    await this.outbox.write(
      transaction,
      tokens.filter((token) => livesLongerThan(token, stage)).map((token) => noticeOf(token, stage)),
    );
    const last = tokens.length === TOKENS_A_PORTION ? tokens.at(-1) : undefined;
    const next = last
      ? { expires_at: last.expires_at, token_uuid: last.id }
      : { expires_at: end, token_uuid: LAST_UUID };
    const text = `UPDATE expiry_notice_progress SET expires_at = $2, token_uuid = $3 WHERE stage = $1`;
    const statement = { kind: 'notices', name: 'move-expiry-progress', text };
    await transaction.last.run(statement, [stage.name, next.expires_at, next.token_uuid]);
    return last !== undefined;
  }
}

/** At the very first it begins with what enters the stage from now on. */
async function lockProgress(runner: StatementRunner, { name }: Stage, end: Date): Promise<Progress> {
  const text = `
    WITH made AS (INSERT INTO expiry_notice_progress (stage, expires_at, token_uuid) VALUES ($1, $2, $3)
      ON CONFLICT (stage) DO NOTHING RETURNING expires_at, token_uuid)
    SELECT expires_at, token_uuid FROM made`;
  const insert = { kind: 'notices', name: 'make-expiry-progress', text };
  const [made] = await runner.run<Progress>(insert, [name, end, LAST_UUID]);
  if (made) return made;
  const lock = `SELECT expires_at, token_uuid FROM expiry_notice_progress WHERE stage = $1 FOR UPDATE`;
  const [known] = await runner.run<Progress>({ kind: 'notices', name: 'lock-expiry-progress', text: lock }, [
    name,
  ]);
  return known ?? { expires_at: end, token_uuid: LAST_UUID };
}

async function findExpiring(
  runner: StatementRunner,
  { expires_at, token_uuid }: Progress,
  end: Date,
): Promise<ExpiringToken[]> {
  // Along the index tokens_expiry.
  const text = `
    SELECT id, token_id, dialect, name, owner_id, organization_id, expires_at, coalesce(rotated_at, created_at) AS lives_since
    FROM tokens WHERE expires_at IS NOT NULL AND revoked_at IS NULL AND (expires_at, id) > ($1, $2::uuid) AND expires_at <= $3
    ORDER BY expires_at, id LIMIT ${TOKENS_A_PORTION}`;
  const statement = { kind: 'notices', name: 'find-expiring', text };
  return runner.run<ExpiringToken>(statement, [expires_at, token_uuid, end]);
}

/** A token that was made for less time than a stage is long needs no notice of it: its maker knew. */
function livesLongerThan({ expires_at, lives_since }: ExpiringToken, { beginsMs }: Stage): boolean {
  return expires_at.getTime() - lives_since.getTime() > beginsMs;
}

function noticeOf(token: ExpiringToken, { name, event, beginsMs }: Stage): TokenNotice {
  const {
    token_id: tokenId,
    dialect,
    owner_id: ownerId,
    organization_id: organizationId,
    expires_at,
  } = token;
  return {
    event,
    token: { tokenId, dialect, name: token.name, ownerId, organizationId, expiresAt: expires_at },
    ...(event === 'token.expiring' ? { details: { days: beginsMs / DAY_MS } } : {}),
    occasion: `${name} ${expires_at.toISOString()}`,
  };
}
