import { secondsOf, split, type Unit } from './durations';
import { type Policy, type Rule, RULES } from './policy-queries';

/** As the server bounds them. */
const MOST = {
  maxLifetimeSeconds: 1_000_000_000,
  defaultLifetimeSeconds: 1_000_000_000,
  maxUnusedSeconds: 1_000_000_000,
  defaultGraceSeconds: 604_800,
  maxTokensPerUser: 1_000_000,
  allowedCidrs: 100,
};

/** A number as it is typed; `isLimited` false: none, whatever is typed. */
export interface AmountDraft {
  isLimited: boolean;
  amount: string;
}

export interface DurationDraft extends AmountDraft {
  unit: Unit;
}

/** The rules as a form holds them. */
export interface PolicyDraft {
  maxLifetimeSeconds: DurationDraft;
  defaultLifetimeSeconds: DurationDraft;
  allowNonExpiring: boolean;
  maxUnusedSeconds: DurationDraft;
  maxTokensPerUser: AmountDraft;
  /** A block a line. */
  allowedCidrs: string;
  requireCidrs: boolean;
  defaultGraceSeconds: DurationDraft;
  onReuse: Policy['onReuse'];
  onLeak: Policy['onLeak'];
}

/** What is wrong with a rule as it is typed, named by its message. */
export type Mistake = 'number' | 'tooMuch' | 'longerThanMost' | 'tooMany';
export type Mistakes = Partial<Record<Rule, Mistake>>;

export function draftOf(policy: Policy): PolicyDraft {
  return {
    ...policy,
    maxLifetimeSeconds: durationOf(policy.maxLifetimeSeconds, 90),
    defaultLifetimeSeconds: durationOf(policy.defaultLifetimeSeconds, 30),
    maxUnusedSeconds: durationOf(policy.maxUnusedSeconds, 90),
    maxTokensPerUser: {
      isLimited: policy.maxTokensPerUser !== null,
      amount: String(policy.maxTokensPerUser ?? 50),
    },
    allowedCidrs: policy.allowedCidrs.join('\n'),
    defaultGraceSeconds: graceOf(policy.defaultGraceSeconds),
  };
}

/** The policy that a draft means; mistakes instead, where there are any. */
export function read(draft: PolicyDraft): { policy: Policy; mistakes: undefined } | { mistakes: Mistakes } {
  const mistakes: Mistakes = {};
  const amountOf = (rule: keyof typeof MOST, { isLimited, ...typed }: AmountDraft | DurationDraft) => {
    if (!isLimited) return null;
    const least = rule === 'defaultGraceSeconds' ? 0 : 1;
    const amount = /^\d+$/.test(typed.amount.trim()) ? Number(typed.amount) : Number.NaN;
    const value = 'unit' in typed ? secondsOf(amount, typed.unit) : amount;
    if (!(amount >= least)) mistakes[rule] = 'number';
    else if (value > MOST[rule]) mistakes[rule] = 'tooMuch';
    return value;
  };
  const policy: Policy = {
    maxLifetimeSeconds: amountOf('maxLifetimeSeconds', draft.maxLifetimeSeconds),
    defaultLifetimeSeconds: amountOf('defaultLifetimeSeconds', draft.defaultLifetimeSeconds),
    allowNonExpiring: draft.allowNonExpiring,
    maxUnusedSeconds: amountOf('maxUnusedSeconds', draft.maxUnusedSeconds),
    maxTokensPerUser: amountOf('maxTokensPerUser', draft.maxTokensPerUser),
    allowedCidrs: draft.allowedCidrs.split(/[\s,;]+/).filter((block) => block !== ''),
    requireCidrs: draft.requireCidrs,
    defaultGraceSeconds: amountOf('defaultGraceSeconds', draft.defaultGraceSeconds) ?? 0,
    onReuse: draft.onReuse,
    onLeak: draft.onLeak,
  };
  const { maxLifetimeSeconds: most, defaultLifetimeSeconds: byDefault } = policy;
  if (most !== null && byDefault !== null && byDefault > most) {
    mistakes.defaultLifetimeSeconds ??= 'longerThanMost';
  }
  if (policy.allowedCidrs.length > MOST.allowedCidrs) mistakes.allowedCidrs = 'tooMany';
  return Object.keys(mistakes).length > 0 ? { mistakes } : { policy, mistakes: undefined };
}

/** The rules in which two policies differ. */
export function differences(one: Policy, other: Policy): Rule[] {
  return RULES.filter((rule) => String(one[rule]) !== String(other[rule]));
}

/** What another wrote in the meantime, with what was changed here on top. */
export function merged(draft: PolicyDraft, changedHere: readonly Rule[], theirs: Policy): PolicyDraft {
  const mine = changedHere.map((rule) => [rule, draft[rule]]);
  return { ...draftOf(theirs), ...(Object.fromEntries(mine) as Partial<PolicyDraft>) };
}

/** @param days what is offered once a limit is wanted. */
function durationOf(seconds: number | null, days: number): DurationDraft {
  if (seconds === null) return { isLimited: false, amount: String(days), unit: 'day' };
  const { amount, unit } = split(seconds);
  return { isLimited: true, amount: String(amount), unit };
}

function graceOf(seconds: number): DurationDraft {
  return seconds === 0 ? { isLimited: true, amount: '0', unit: 'hour' } : durationOf(seconds, 0);
}
