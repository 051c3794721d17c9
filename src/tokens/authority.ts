import type { Actor } from '../audit/audit.writer.js';
import { reachesBeyond } from './cidr.js';
import { Refusal } from './refusal.js';

/** Somebody on whose word tokens are made and changed: a caller, or the system itself. */
export interface Authority {
  readonly actor: Actor;
  /** CIDR blocks that the caller is confined to; empty: to none. */
  readonly allowedCidrs: readonly string[];
  /** Those of `scopes`, in the words of `dialect`, that the caller does not hold and so cannot hand on. */
  lacks(dialect: string, scopes: readonly string[]): string[];
}

/** What a token would let its bearer do. */
interface Grant {
  dialect: string;
  scopes: readonly string[];
  allowedCidrs: readonly string[];
}

/**
 * Nobody hands on what they do not hold.
 *
 * @throws {Refusal} forbidden, with the missing scopes, or because the token would work where its maker does not.
 */
export function assertMayGrant(by: Authority, grant: Grant): void {
  const missing = by.lacks(grant.dialect, grant.scopes);
  if (missing.length > 0) {
    const message = `You cannot grant what you do not hold: ${missing.join(', ')}`;
    throw new Refusal('forbidden', { reason: 'grant', message, missing });
  }
  if (reachesBeyond(grant.allowedCidrs, by.allowedCidrs)) {
    const message = 'A token confined to CIDR blocks cannot make a token that reaches beyond them';
    throw new Refusal('forbidden', { reason: 'reach', message });
  }
}
