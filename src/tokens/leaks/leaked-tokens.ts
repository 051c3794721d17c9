import { Injectable } from '@nestjs/common';
import { type Actor, type AuditEntry, AuditWriter } from '../../audit/audit.writer.js';
import { RecentKeys } from '../../audit/recent-keys.js';
import { type Transaction, Transactions } from '../../database/transactions.js';
import type { TokenNotice } from '../../notices/notice.js';
import { Outbox } from '../../notices/outbox.js';
import { Refusal } from '../../refusal.js';
import { Semaphore } from '../../semaphore.js';
import { Admission } from '../authority/admission.js';
import { SYSTEM_AUTHORITY } from '../authority/authority.js';
import type { PolicySettings } from '../policy/policy.entity.js';
import { RetiredLookup, TokenLookup } from '../token-lookup.js';
import type { Token } from '../token.entity.js';
import { type Settlement, TokenService } from '../token.service.js';

/** At most so many values are looked at together. */
export const MAX_LEAKS = 100;

/** Each asks for up to {@link MAX_LEAKS} tokens, by the connections that verification has. */
const REPORTS_AT_ONCE = 2;
const MAX_WAITING = 100;
const MAX_WAIT_MS = 5_000;
/** Anybody can report a value again and again: of what changes nothing there is one event in this time, in each process. */
const REPEAT_INTERVAL_MS = 60_000;
const MAX_RECENT = 10_000;
/** In which all reports wait for their turn among changes: strangers make them. */
const LINE = 'leaks';

/** A text that somebody found where it should not be. */
export interface Leak {
  value: string;
  /** Where, for the audit trail. */
  found: Record<string, string>;
}

/** What is done about a leak; nothing where the value works no more. */
type Reaction = PolicySettings['onLeak'] | 'none';

/** A value that is a token's, or was. */
interface Finding extends Leak {
  token: Token;
  isRetired: boolean;
}

/**
 * Ends tokens whose values were found where they should not be, or reports them, as the policy of their organization has
 * it. It is done when the report is answered: nothing of it is kept for later, neither a value nor a digest, and what could
 * not be done is not answered as if it were.
 */
@Injectable()
export class LeakedTokens {
  private readonly turns = new Semaphore(REPORTS_AT_ONCE, MAX_WAITING, tooManyReports, MAX_WAIT_MS);
  private readonly recent = new RecentKeys(REPEAT_INTERVAL_MS, MAX_RECENT);

  constructor(
    private readonly lookup: TokenLookup,
    private readonly transactions: Transactions,
    private readonly admission: Admission,
    private readonly tokens: TokenService,
    private readonly audit: AuditWriter,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Revokes the tokens of these values, current ones and those in their grace, whatever else keeps them from working; a
   * value that a rotation has retired, or of a revoked token, is an audit event and no more.
   *
   * @param leaks {@link MAX_LEAKS} at most.
   * @param reporter who says so, usually a stranger.
   * @returns of each value whether it is, or was, a token's.
   * @throws {Refusal} unavailable, when too many reports wait already; then nothing is done.
   */
  async report(leaks: readonly Leak[], reporter: Actor): Promise<boolean[]> {
    return this.turns.run(reporter.address ?? 'unknown', async () => {
      const found = await Promise.all(leaks.map(({ value }) => this.lookup.find(value)));
      const byToken = new Map<string, Finding>();
      for (const [index, one] of found.entries()) {
        const leak = leaks[index];
        if (!one || !leak) continue;
        const finding = { ...leak, token: one.token, isRetired: one instanceof RetiredLookup };
        // Of several values of one token the one counts that works.
        const known = byToken.get(one.token.id);
        if (!known || (known.isRetired && !finding.isRetired)) byToken.set(one.token.id, finding);
      }
      const findings = [...byToken.values()].filter((finding) => !this.isNothingNew(finding));
      if (findings.length > 0) {
        const written = await this.transactions.run(LINE, (transaction) =>
          this.settle(transaction, findings, reporter),
        );
        const now = Date.now();
        for (const key of written) this.recent.add(key, now);
      }
      return found.map((one) => one !== undefined);
    });
  }

  /** Whether a value that works no more was reported a moment ago. */
  private isNothingNew({ token, isRetired }: Finding): boolean {
    return (isRetired || token.isRevoked()) && this.recent.has(keyOf(token, 'none'), Date.now());
  }

  /**
   * Does what the policies say, under the locks of the tokens, and writes it to the audit trail.
   *
   * @returns the keys of what must not be written again soon.
   */
  private async settle(
    transaction: Transaction,
    findings: readonly Finding[],
    reporter: Actor,
  ): Promise<string[]> {
    const ids = findings.filter(({ isRetired }) => !isRetired).map(({ token }) => token.id);
    const rows = { tokens: { ids }, asksPolicies: true };
    const { tokens, users, policies } = await this.admission.admit(transaction, SYSTEM_AUTHORITY, rows);
    const settlements: Settlement[] = [];
    const entries: AuditEntry[] = [];
    const notices: TokenNotice[] = [];
    const keys: string[] = [];
    for (const { token: seen, value, found } of findings) {
      const token = tokens.get(seen.id);
      // It may have been rotated or revoked since it was looked up.
      const isCurrent = token !== undefined && this.admission.isValueOf(token, value);
      const policy = policies.get(users.get(seen.ownerId)?.organizationId ?? '');
      const reaction = isCurrent && !token.isRevoked() ? (policy?.onLeak ?? 'revoke') : 'none';
      if (reaction === 'revoke' && token) settlements.push({ token, changes: 'revoke' });
      else if (this.recent.has(keyOf(seen, reaction), Date.now())) continue;
      else keys.push(keyOf(seen, reaction));
      entries.push(entryOf(reporter, token ?? seen, { ...found, reaction, isRetired: !isCurrent }));
      if (token && reaction !== 'none') {
        notices.push({ event: 'token.leaked', token, details: { ...found, reaction } });
      }
    }
    await this.tokens.settle(transaction, settlements, { reason: 'leaked' });
    await this.outbox.write(transaction, notices);
    if (entries.length > 0) await this.audit.write(transaction.last, entries);
    return keys;
  }
}

function keyOf({ tokenId }: Token, reaction: Reaction): string {
  return `${tokenId} ${reaction}`;
}

/** @param after where it was found, what is done, and whether the value was retired by a rotation. */
function entryOf(actor: Actor, token: Token, after: Record<string, unknown>): AuditEntry {
  const object = { type: 'token', id: token.tokenId };
  return { actor, action: 'token.leak', object, after: { ...after, status: token.status() } };
}

function tooManyReports(): Refusal {
  const message = 'Too many reports at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}
