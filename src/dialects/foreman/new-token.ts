import { isGoodText } from '../../http/validation/text.js';
import type { Problem } from './foreman.refusals.js';
import type { Parameters } from './parameters.js';
import { parseTimestamp } from './timestamps.js';
import { withoutOuterSpace } from './white-space.js';

const MAX_NAME_LENGTH = 255;

/** The fields of a token to be made, and what is wrong with them. */
export interface NewToken {
  name: string;
  /** Undefined: none is named. */
  expiresAt: Date | undefined;
  problems: Problem[];
}

/** Reads and checks the fields of a token to be made; whether the name is free only the store knows. */
export function readNewToken(fields: Parameters, now = new Date()): NewToken {
  const name = nameOf(fields['name']);
  const { expiresAt, problem } = expiryOf(fields['expires_at'], now);
  const problems: Problem[] = [];
  const nameProblem = problemOf(name);
  if (nameProblem !== undefined) problems.push({ field: 'name', message: nameProblem });
  if (problem !== undefined) problems.push({ field: 'expires_at', message: problem });
  return { name, expiresAt, problems };
}

/** Numbers become text; only ASCII white space is trimmed; what is no single value counts as nothing. */
function nameOf(sent: unknown): string {
  if (typeof sent === 'boolean') return sent ? 't' : 'f';
  if (typeof sent !== 'string' && typeof sent !== 'number') return '';
  return withoutOuterSpace(String(sent));
}

function problemOf(name: string): string | undefined {
  if (/^\p{White_Space}*$/u.test(name)) return "can't be blank";
  if (!isGoodText(name)) return 'contains invalid characters';
  // Characters, not the halves of which JavaScript counts two for those beyond the first 65,536.
  if (Array.from(name).length > MAX_NAME_LENGTH)
    return `is too long (maximum is ${MAX_NAME_LENGTH} characters)`;
  return undefined;
}

function expiryOf(sent: unknown, now: Date): { expiresAt: Date | undefined; problem?: string } {
  if (sent === undefined || sent === null) return { expiresAt: undefined };
  const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
  const expiresAt = typeof sent === 'string' ? parseTimestamp(sent.trim())?.time : undefined;
  if (!expiresAt) return { expiresAt, problem: `Could not parse timestamp '${text}'` };
  if (expiresAt <= now) return { expiresAt, problem: 'cannot be in the past' };
  return { expiresAt };
}
