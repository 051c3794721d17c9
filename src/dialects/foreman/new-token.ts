import { isGoodText } from '../../http/validation/text.js';
import type { Problem } from './foreman.refusals.js';
import type { Parameters } from './parameters.js';
import { parseTimestamp } from './timestamps.js';
import { withoutOuterSpace } from './white-space.js';

// Decided here; the column has no limit on PostgreSQL.
const MAX_NAME_LENGTH = 255;

/** The fields of a token to be made, and what is wrong with them. */
export interface NewToken {
  name: string;
  /** Undefined: not given. */
  expiresAt: Date | undefined;
  problems: Problem[];
}

/**
 * Reads and checks the fields of a token to be made, the name before the expiry, as the validations of
 * https://github.com/theforeman/foreman/blob/develop/app/models/personal_access_token.rb
 * Whether the name is free is only known when the token is stored.
 */
export function readNewToken(fields: Parameters, now = new Date()): NewToken {
  const name = nameOf(fields['name']);
  const { expiresAt, problem } = expiryOf(fields['expires_at'], now);
  const problems: Problem[] = [];
  const nameProblem = problemOf(name);
  if (nameProblem !== undefined) problems.push({ field: 'name', message: nameProblem });
  if (problem !== undefined) problems.push({ field: 'expires_at', message: problem });
  return { name, expiresAt, problems };
}

/**
 * Numbers become text and booleans `t` or `f` (`cast_value`), and only ASCII white space is trimmed
 * (`strip_spaces`):
 * https://github.com/rails/rails/blob/main/activemodel/lib/active_model/type/immutable_string.rb
 * https://github.com/theforeman/foreman/blob/develop/app/models/concerns/strip_whitespace.rb
 * A list or an object counts as absent, because `permit` takes only single values.
 */
function nameOf(sent: unknown): string {
  if (typeof sent === 'boolean') return sent ? 't' : 'f';
  if (typeof sent !== 'string' && typeof sent !== 'number') return '';
  return withoutOuterSpace(String(sent));
}

function problemOf(name: string): string | undefined {
  // Blank is Unicode white space, though only ASCII is trimmed: `BLANK_RE` in
  // https://github.com/rails/rails/blob/main/activesupport/lib/active_support/core_ext/object/blank.rb
  if (/^\p{White_Space}*$/u.test(name)) return "can't be blank";
  if (!isGoodText(name)) return 'contains invalid characters';
  // Counts code points; JavaScript's `length` counts UTF-16 units.
  if (Array.from(name).length > MAX_NAME_LENGTH)
    return `is too long (maximum is ${MAX_NAME_LENGTH} characters)`;
  return undefined;
}

function expiryOf(sent: unknown, now: Date): { expiresAt: Date | undefined; problem?: string } {
  // The texts: `valid_expires_at` and `expires_at_in_future` in app/models/personal_access_token.rb.
  if (sent === undefined || sent === null) return { expiresAt: undefined };
  const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
  const expiresAt = typeof sent === 'string' ? parseTimestamp(sent.trim())?.time : undefined;
  if (!expiresAt) return { expiresAt, problem: `Could not parse timestamp '${text}'` };
  if (expiresAt <= now) return { expiresAt, problem: 'cannot be in the past' };
  return { expiresAt };
}
