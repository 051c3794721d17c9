import type { User } from '../../src/accounts/user.entity.js';
import type { Comparator, SearchTree } from '../../src/dialects/foreman/search/grammar.js';
import { parseStretch } from '../../src/dialects/foreman/search/times.js';
import type { Token } from '../../src/tokens/token.entity.js';

/** True, false, or null: unknown, as SQL has it. Undefined: nothing was asked. */
type Truth = boolean | null;

/** A field's value in one row: text, a whole number, a time or a truth. */
type Value = string | bigint | Date | boolean | null;

/** Whether a search finds a token, read off the tree row by row: what the database must agree with. */
export function evaluate(tree: SearchTree, token: Token, owner: User): boolean {
  return (
    (truthOf(tree, valuesOf(token, owner)) ?? true) === true && truthOf(tree, valuesOf(token, owner)) !== null
  );
}

function valuesOf(token: Token, owner: User): Record<string, Value> {
  return {
    name: token.name,
    id: BigInt(token.numericId),
    user_id: BigInt(owner.numericId),
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt,
    created_at: token.createdAt,
    revoked: token.isRevoked(),
    active: token.status() === 'active',
  };
}

function truthOf(tree: SearchTree, row: Record<string, Value>): Truth | undefined {
  switch (tree.kind) {
    case 'anything':
      return undefined;
    case 'and':
    case 'or': {
      const truths = tree.nodes.map((node) => truthOf(node, row)).filter((truth) => truth !== undefined);
      if (truths.length === 0) return undefined;
      const decisive = tree.kind === 'or';
      if (truths.includes(decisive)) return decisive;
      return truths.includes(null) ? null : !decisive;
    }
    case 'not': {
      const truth = truthOf(tree.node, row);
      return !(truth === undefined ? true : (truth ?? false));
    }
    case 'word':
      return compare(row['name'] as Value, 'like', tree.value);
    case 'comparison':
      return compare(row[tree.field ?? 'name'] as Value, tree.comparator, tree.value, tree.field ?? 'name');
    case 'membership': {
      const value = row[tree.field] as string | bigint;
      const isIn = tree.values.some((one) =>
        typeof value === 'string' ? value === trimmed(one) : value === BigInt(one),
      );
      return tree.membership === 'in' ? isIn : !isIn;
    }
    case 'presence':
      return (row[tree.field] !== null) === tree.isPresent;
  }
}

function compare(value: Value, comparator: Comparator, text: string, field = 'name'): Truth {
  if (value === null) return null;
  if (typeof value === 'boolean') return (value === (text === 'true')) === (comparator === 'eq');
  if (typeof value === 'bigint')
    return ordered(value < BigInt(text) ? -1 : value > BigInt(text) ? 1 : 0, comparator);
  if (value instanceof Date) return compareTime(value, comparator, text);
  if (comparator === 'like') return matches(value, text);
  if (comparator === 'unlike') return !matches(value, text);
  if (field !== 'name') throw new Error(`${field} is no text`);
  return ordered(Buffer.compare(Buffer.from(value), Buffer.from(text)), comparator);
}

function compareTime(value: Date, comparator: Comparator, text: string): boolean {
  const stretch = parseStretch(text, new Date());
  if (!stretch) throw new Error(`${text} is no time`);
  const { start, end, isDayLong } = stretch;
  const isWithin = value >= start && value < end;
  if (comparator === 'eq') return isWithin;
  if (comparator === 'ne') return !isWithin;
  if (isDayLong && comparator === 'gt') return value >= end;
  if (isDayLong && comparator === 'lte') return value < end;
  return ordered(value.getTime() - start.getTime(), comparator);
}

function ordered(difference: number, comparator: Comparator): boolean {
  switch (comparator) {
    case 'eq':
      return difference === 0;
    case 'ne':
      return difference !== 0;
    case 'gt':
      return difference > 0;
    case 'gte':
      return difference >= 0;
    case 'lt':
      return difference < 0;
    default:
      return difference <= 0;
  }
}

function matches(value: string, pattern: string): boolean {
  const isWild = /[*%]/.test(pattern);
  const parts = (isWild ? pattern : `*${pattern}*`)
    .split(/[*%]+/)
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'isu').test(value);
}

function trimmed(text: string): string {
  return text.replace(/^[ \t\r\n\f\v]+|[ \t\r\n\f\v]+$/g, '');
}
