import { Injectable } from '@nestjs/common';
import { type Actor, AuditWriter } from '../../audit/audit.writer.js';
import { ThrottledEvents } from '../../audit/throttled-events.js';
import { type StatementRunner, Statements } from '../../database/statements.js';
import type { Token } from '../token.entity.js';
import { countLive } from './live-tokens.js';
import {
  blocksWithin,
  brokenBlocks,
  brokenLifetime,
  expiryAtRotation,
  policyRefusal,
  type RefusingRule,
} from './policy.js';
import type { Policy } from './policy.entity.js';

/** A token that is to come to life, issued or revived, under the policy of its owner's organization. */
export interface NewLife {
  policy: Policy;
  token: Token;
}

/** What a refusal is about, for the audit trail: a token, or, where there is none yet, its owner. */
interface About {
  actor: Actor;
  dialect: string;
  object: { type: string; id: string };
}

/**
 * Holds changes of tokens against the policy, as it is read under its lock. What is refused is counted, and an event of the
 * audit trail, one a minute of those that are alike.
 */
@Injectable()
export class PolicyEnforcement {
  private readonly events: ThrottledEvents;
  private readonly counts = new Map<string, { rule: RefusingRule; dialect: string; count: number }>();

  constructor(statements: Statements, audit: AuditWriter) {
    this.events = new ThrottledEvents('refusals by policy', statements, audit);
  }

  /** @throws {Refusal} for the first rule that a new token breaks. */
  assertIssuable(policy: Policy, token: Token, actor: Actor): void {
    const broken = brokenLifetime(policy, token) ?? brokenBlocks(policy, token.allowedCidrs);
    if (broken) this.refuse(policy, broken, newToken(token, actor));
  }

  /**
   * A token from before the policy can still be changed in what does not break it further.
   *
   * @throws {Refusal} for the first rule that is broken by what is changed.
   */
  assertChangeable(policy: Policy, before: Token, after: Token, actor: Actor): void {
    const isLife = before.expiresAt?.getTime() !== after.expiresAt?.getTime();
    const isReach = before.allowedCidrs.join() !== after.allowedCidrs.join();
    const broken =
      (isLife ? brokenLifetime(policy, after) : undefined) ??
      (isReach ? brokenBlocks(policy, after.allowedCidrs) : undefined);
    if (broken) this.refuse(policy, broken, keptToken(after, actor));
  }

  /**
   * What a rotation makes of a token's expiry and blocks, so that it keeps the policy from then on; it lives no longer
   * than before.
   *
   * @throws {Refusal} for the first rule that it breaks all the same.
   */
  rotated(
    policy: Policy,
    before: Token,
    rotatedAt: Date,
    actor: Actor,
  ): Pick<Token, 'expiresAt' | 'allowedCidrs'> {
    const { createdAt } = before;
    const expiresAt = expiryAtRotation(policy, before, rotatedAt);
    const allowedCidrs = blocksWithin(policy, before.allowedCidrs);
    const broken =
      brokenLifetime(policy, { createdAt, rotatedAt, expiresAt }) ?? brokenBlocks(policy, allowedCidrs);
    if (broken) this.refuse(policy, broken, keptToken(before, actor));
    return { expiresAt, allowedCidrs };
  }

  /**
   * Whether there is room for tokens that are to come to life among those that their owners have; asked where a policy
   * limits them alone. To be called under the locks of the change and right before it writes: from here to the end of the
   * transaction nobody else counts or makes tokens of these owners.
   *
   * @param at names the one that is refused, by its index, in what is thrown.
   * @throws {Refusal} for the first that there is no room for.
   */
  async assertRoom(
    runner: StatementRunner,
    lives: readonly NewLife[],
    actor: Actor,
    { isNew, at = (_, step) => step() }: { isNew: boolean; at?: (index: number, step: () => void) => void },
  ): Promise<void> {
    const limited = lives.filter(({ policy }) => policy.maxTokensPerUser !== null);
    if (limited.length === 0) return;
    const counts = await countLive(runner, [...new Set(limited.map(({ token }) => token.ownerId))]);
    for (const [index, { policy, token }] of lives.entries()) {
      if (policy.maxTokensPerUser === null) continue;
      const count = (counts.get(token.ownerId) ?? 0) + 1;
      counts.set(token.ownerId, count);
      if (count <= policy.maxTokensPerUser) continue;
      const about = isNew ? newToken(token, actor) : keptToken(token, actor);
      at(index, () => this.refuse(policy, 'maxTokensPerUser', about));
    }
  }

  /** All refusals so far. */
  sums(): { rule: RefusingRule; dialect: string; count: number }[] {
    return [...this.counts.values()];
  }

  /** Writes the events that are still to be written. */
  flush(): Promise<void> {
    return this.events.flush();
  }

  private refuse(policy: Policy, rule: RefusingRule, { actor, dialect, object }: About): never {
    const key = `${rule} ${dialect}`;
    const known = this.counts.get(key);
    if (known) known.count += 1;
    else this.counts.set(key, { rule, dialect, count: 1 });
    this.events.record(`${actor.type} ${actor.auditId} ${rule}`, (time) => ({
      time,
      actor,
      action: 'policy.refuse',
      object,
      after: { rule, dialect },
    }));
    throw policyRefusal(policy, rule);
  }
}

function newToken({ dialect, ownerId }: Token, actor: Actor): About {
  return { actor, dialect, object: { type: 'user', id: ownerId } };
}

function keptToken({ dialect, tokenId }: Token, actor: Actor): About {
  return { actor, dialect, object: { type: 'token', id: tokenId } };
}
