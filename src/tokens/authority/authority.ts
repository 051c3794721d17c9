import type { Role } from '../../accounts/user.entity.js';
import { type Actor, SYSTEM } from '../../audit/audit.writer.js';
import type { IdempotentCall } from '../idempotency/idempotent-call.js';

/**
 * The credential that an actor acts by. It was valid when the request came in; every change reads it again in its own
 * transaction ({@link Admission}).
 */
export type Credential =
  | { kind: 'password'; userId: string; passwordVersion: number }
  /** A sign-in of a browser, with what the user was then: of another password or role, the user must sign in again. */
  | { kind: 'session'; userId: string; sessionId: string; passwordVersion: number; role: Role }
  | {
      kind: 'token';
      userId: string;
      tokenUuid: string;
      value: string;
      /** Whether the value was retired moments ago: good for the repetition of a call, and for nothing else. */
      isRetired: boolean;
    }
  /**
   * Of who has begun a job: the user, and the token that was called with, as far as they are still what they were. What was
   * presented then is not kept, so a new password or value changes nothing.
   */
  | { kind: 'kept'; userId: string; tokenUuid: string | null; scopes: readonly string[] }
  /** Nothing to be read again: the server itself, or who holds a token and ends it. */
  | { kind: 'none' };

/** Scopes of which a call needs one, in the words of a dialect. */
export interface RequiredScopes {
  dialect: string;
  scopes: readonly string[];
}

/** Somebody on whose word tokens and users are made and changed: a caller, or the server itself. */
export interface Authority {
  readonly actor: Actor;
  readonly credential: Credential;
  /** What the call asked of the caller's scopes, to be asked again; undefined: nothing. */
  readonly required?: RequiredScopes | undefined;
  /** Where the caller may repeat the call; undefined: it may not. */
  readonly idempotentCall?: IdempotentCall | undefined;
  /** Those of `needed`, in the words of `dialect`, that none of the scopes `held` covers. */
  uncovered(held: readonly string[], dialect: string, needed: readonly string[]): string[];
}

/** The server itself, which may do everything. */
export const SYSTEM_AUTHORITY: Authority = {
  actor: SYSTEM,
  credential: { kind: 'none' },
  uncovered: () => [],
};

/** What a job keeps of whose word it is done on. */
export type KeptCredential = Extract<Credential, { kind: 'kept' }>;

/** @param scopes of the token that the actor calls with. */
export function keptCredential(credential: Credential, scopes: readonly string[]): KeptCredential {
  if (credential.kind === 'kept') return credential;
  if (credential.kind === 'none') throw new Error('The server itself needs no credential');
  const { userId } = credential;
  const tokenUuid = credential.kind === 'token' ? credential.tokenUuid : null;
  return { kind: 'kept', userId, tokenUuid, scopes: [...scopes] };
}

/** The actor of a job, who ends what may be ended and makes nothing. */
export function keptAuthority(actor: Actor, credential: KeptCredential): Authority {
  return { actor, credential, uncovered: (_held, _dialect, needed) => [...needed] };
}
