import { Injectable } from '@nestjs/common';
import type { User } from '../../accounts/user.entity.js';
import { type UserRow, UserRows } from '../../accounts/user-rows.js';
import { type AuditEntry, AuditWriter } from '../../audit/audit.writer.js';
import { type StatementRunner, Statements, statementOf } from '../../database/statements.js';
import type { Transaction } from '../../database/transactions.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { Refusal } from '../../refusal.js';
import { Admission } from '../authority/admission.js';
import type { Authority } from '../authority/authority.js';
import { type TokenRow, TokenRows } from '../token-rows.js';
import type { Token } from '../token.entity.js';
import type { Rider } from '../token-writes.js';
import { type IdempotentCall, KEY_MS, REPLAY_MS } from './idempotent-call.js';

/** Nobody waits for a call under way: its repetition is told so. The lock ends with the transaction, however that ends. */
const BEGIN = statementOf('begin-idempotent', 'SELECT pg_try_advisory_xact_lock($1::bigint) AS "isFirst"');
const FIND = statementOf(
  'find-idempotent',
  `SELECT id, fingerprint, created_at, sealed_outcome FROM idempotency_records WHERE id = ANY ($1::bytea[]) AND created_at > $2`,
);
const NUMBERS = statementOf('token-numbers', 'SELECT id, numeric_id FROM tokens WHERE id = ANY ($1::uuid[])');
const FORGET_OUTCOMES = statementOf(
  'forget-outcomes',
  'UPDATE idempotency_records SET sealed_outcome = NULL WHERE created_at < $1 AND sealed_outcome IS NOT NULL',
);
const FORGET_KEYS = statementOf('forget-keys', 'DELETE FROM idempotency_records WHERE created_at < $1');

/** A token as an answer shows it, with its value. */
export interface Outcome {
  token: Token;
  value: string;
}

interface RecordRow {
  id: Buffer;
  fingerprint: Buffer;
  created_at: Date;
  sealed_outcome: string | null;
}

/** What is sealed of an outcome. */
type KeptToken = TokenRow & UserRow & { value: string };

/**
 * Calls that may be repeated: who sends one again, with the same `Idempotency-Key` and body, gets the tokens and values of
 * the first. The record commits with the tokens, or neither does.
 */
@Injectable()
export class Idempotency {
  /** How many calls were answered with the outcome of their first. */
  replays = 0;

  constructor(
    private readonly statements: Statements,
    private readonly hashing: HashingService,
    private readonly admission: Admission,
    private readonly tokenRows: TokenRows,
    private readonly userRows: UserRows,
    private readonly audit: AuditWriter,
  ) {}

  /** Whether a call was made before by who makes it now. Decides nothing: {@link begin} asks again. */
  async isRepetition(by: Authority): Promise<boolean> {
    const { idempotentCall: call } = by;
    if (!call) return false;
    const found = await this.statements.run(FIND, [this.idsOf(by, call), new Date(Date.now() - KEY_MS)]);
    return found.length > 0;
  }

  /**
   * Begins a change: what the first call led to, where this is its repetition. Undefined: the change is to be made.
   *
   * @throws {Refusal} conflict while the first is under way, and where its outcome is gone; invalid for another body;
   *   unauthenticated for a value that is retired, which repeats and does no more.
   */
  async begin(transaction: Transaction, by: Authority): Promise<Outcome[] | undefined> {
    const { idempotentCall: call } = by;
    if (!call) return undefined;
    const ids = this.idsOf(by, call);
    const [[lock], [record]] = await Promise.all([
      transaction.run<{ isFirst: boolean }>(BEGIN, [lockOf(ids)]),
      transaction.run<RecordRow>(FIND, [ids, new Date(Date.now() - KEY_MS)]),
    ]);
    if (!lock?.isFirst) {
      throw conflict('A request with this Idempotency-Key is under way: try again in a moment');
    }
    if (!record) {
      if (by.credential.kind !== 'token' || !by.credential.isRetired) return undefined;
      throw new Refusal('unauthenticated', { reason: 'unknown' });
    }
    if (!this.fingerprintsOf(call).some((fingerprint) => fingerprint.equals(record.fingerprint))) {
      const message = 'This Idempotency-Key was used with another body';
      throw new Refusal('invalid', { reason: 'idempotencyKeyReused', message });
    }
    const isRecent = record.created_at.getTime() > Date.now() - REPLAY_MS;
    const text =
      isRecent && record.sealed_outcome !== null
        ? this.hashing.open(record.sealed_outcome, bindingOf(record.id), call.key)
        : undefined;
    if (text === undefined) {
      throw conflict('The request with this Idempotency-Key was made; its answer cannot be given again');
    }
    await this.admission.admit(transaction, by, { isRepetition: true });
    const outcomes = await this.restored(transaction, JSON.parse(text) as KeptToken[]);
    await this.audit.write(
      transaction.last,
      outcomes.map((outcome) => replayOf(by, outcome)),
    );
    call.replayed();
    this.replays += 1;
    return outcomes;
  }

  /** Keeps what a change leads to, in the statement that writes it; of nobody's repetition nothing. */
  record(by: Authority, outcomes: readonly Outcome[]): Rider[] {
    const { idempotentCall: call } = by;
    if (!call) return [];
    const [id] = this.idsOf(by, call);
    const [fingerprint] = this.fingerprintsOf(call);
    const kept = outcomes.map((outcome) => this.keptOf(outcome));
    return [
      {
        name: 'idempotent',
        expressions: (place) => `remembered AS (
          INSERT INTO idempotency_records (id, fingerprint, created_at, sealed_outcome)
          VALUES (${place(undefined)}, ${place(undefined)}, ${place(undefined)}, ${place(undefined)})
          ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, created_at = excluded.created_at,
            sealed_outcome = excluded.sealed_outcome)`,
        values: [
          id,
          fingerprint,
          new Date(),
          this.hashing.seal(JSON.stringify(kept), bindingOf(id), call.key),
        ],
      },
    ];
  }

  /** Deletes the outcomes that are not given again any more, and the keys that are not known any more. */
  async forget(): Promise<void> {
    await this.statements.run(FORGET_OUTCOMES, [new Date(Date.now() - REPLAY_MS)]);
    await this.statements.run(FORGET_KEYS, [new Date(Date.now() - KEY_MS)]);
  }

  /** By each key of the ring, that of today first. */
  private idsOf({ credential }: Authority, { key, route }: IdempotentCall): [Buffer, ...Buffer[]] {
    const user = credential.kind === 'none' ? null : credential.userId;
    const token = credential.kind === 'token' ? credential.tokenUuid : null;
    return this.hashing.digestsOf(JSON.stringify([user, token, route, key]), 'idempotent calls');
  }

  private fingerprintsOf({ key, body }: IdempotentCall): [Buffer, ...Buffer[]] {
    return this.hashing.digestsOf(`${key}\n${body.toString('latin1')}`, 'idempotent bodies');
  }

  private keptOf({ token, value }: Outcome): KeptToken {
    return { ...this.tokenRows.keptOf(token), ...this.userRows.keptOf(token.owner), value };
  }

  private async restored(runner: StatementRunner, kept: KeptToken[]): Promise<Outcome[]> {
    const outcomes = kept.map(({ value, ...row }) => {
      const token = this.tokenRows.restoredOf(row);
      const owner: User = this.userRows.restoredOf(row);
      return { token: this.tokenRows.shown(token, owner), value };
    });
    // A new token's number is made by the statement that keeps its outcome.
    const ids = outcomes.map(({ token }) => token.id);
    const rows = await runner.run<{ id: string; numeric_id: number }>(NUMBERS, [ids]);
    const numbers = new Map(rows.map(({ id, numeric_id: number }) => [id, number]));
    for (const { token } of outcomes) token.numericId = numbers.get(token.id) ?? token.numericId;
    return outcomes;
  }
}

/** A number for an advisory lock, of the record's id. */
function lockOf([id]: readonly [Buffer, ...Buffer[]]): string {
  return String(id.readBigInt64BE());
}

function bindingOf(id: Buffer): string {
  return `idempotent ${id.toString('hex')}`;
}

function replayOf({ actor }: Authority, { token }: Outcome): AuditEntry {
  return { actor, action: 'token.replay', object: { type: 'token', id: token.tokenId } };
}

function conflict(message: string): Refusal {
  return new Refusal('conflict', { reason: 'repeated', message });
}
