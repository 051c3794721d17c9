import type { Schemas } from '../api/client';
import type { Token } from './queries';

/** What a person types of a token, as texts of inputs. */
export interface TokenDraft {
  name: string;
  description: string;
  /** A block a line. */
  allowedCidrs: string;
  /** Local time, as an input of `datetime-local` has it; empty: never. */
  expiresAt: string;
  isActive: boolean;
}

export function draftOf(token: Token): TokenDraft {
  return {
    name: token.name,
    description: token.description ?? '',
    allowedCidrs: token.allowedCidrs.join('\n'),
    expiresAt: token.expiresAt === null ? '' : localOf(token.expiresAt),
    isActive: token.status !== 'inactive',
  };
}

/** What a person changed, and nothing else: what others change meanwhile stays. */
export function changesOf(before: TokenDraft, after: TokenDraft): Schemas['UpdateToken'] {
  const changes: Schemas['UpdateToken'] = {};
  if (after.name !== before.name) changes.name = after.name;
  if (after.description !== before.description) changes.description = after.description || null;
  if (linesOf(after.allowedCidrs).join() !== linesOf(before.allowedCidrs).join()) {
    changes.allowedCidrs = linesOf(after.allowedCidrs);
  }
  if (after.expiresAt !== before.expiresAt) {
    changes.expiresAt = after.expiresAt === '' ? null : new Date(after.expiresAt).toISOString();
  }
  if (after.isActive !== before.isActive) changes.status = after.isActive ? 'active' : 'inactive';
  return changes;
}

export function linesOf(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** A moment as `2031-05-06T07:08`, in the zone of the browser. */
export function localOf(iso: string): string {
  const moment = new Date(iso);
  const minutes = moment.getTimezoneOffset();
  return new Date(moment.getTime() - minutes * 60_000).toISOString().slice(0, 16);
}
