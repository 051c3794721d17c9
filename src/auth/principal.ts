import type { User } from '../accounts/user.entity.js';
import type { Actor } from '../audit/audit.writer.js';
import type { DialectRegistry } from '../protocol/dialect-registry.js';
import { keptUserAgent, type Origin } from '../protocol/origin.js';
import { Refusal } from '../refusal.js';
import type { Authority, Credential, RequiredScopes } from '../tokens/authority/authority.js';
import type { IdempotentCall } from '../tokens/idempotency/idempotent-call.js';
import type { Token } from '../tokens/token.entity.js';
import type { Session } from './sessions/session.entity.js';

/** The caller: a user, by password, session or token. May do what the user's rights AND the token's scopes allow. */
export class Principal implements Authority {
  /** What the route asked of the scopes; undefined: nothing. */
  required: RequiredScopes | undefined;
  /** Where the request names a key by which it may be repeated. */
  idempotentCall: IdempotentCall | undefined;

  constructor(
    readonly user: User,
    /** Null for a caller by password or session. */
    readonly token: Token | null,
    /** The value that was presented, for compare-and-swap on one's own token. */
    readonly presentedValue: string | null,
    private readonly origin: Origin,
    private readonly registry: DialectRegistry,
    /** Whether the value that was presented was retired moments ago. */
    private readonly isRetired = false,
    /** The session of a browser by which the user calls; null otherwise. */
    readonly session: Session | null = null,
  ) {}

  /** Whether this user administers everything. */
  get isAdministrator(): boolean {
    return this.user.role === 'administrator';
  }

  /** Whether this user administers an organization: their own, or, as an administrator of everything, any. */
  administers(organizationId: string): boolean {
    const isOwn = this.user.organizationId === organizationId;
    return this.isAdministrator || (isOwn && this.user.role === 'organizationAdministrator');
  }

  /** @throws {Refusal} forbidden for a caller who administers nothing. */
  assertAdministers(): void {
    if (this.administers(this.user.organizationId)) return;
    throw new Refusal('forbidden', { reason: 'role', message: 'Administrators only' });
  }

  /** @throws {Refusal} forbidden for a caller who does not administer everything. */
  assertAdministersAll(): void {
    if (this.isAdministrator) return;
    throw new Refusal('forbidden', { reason: 'role', message: 'Administrators of everything only' });
  }

  /** Whether one of these scopes, in the words of a dialect, is held; a caller by password or session holds all. */
  covers(dialect: string, needed: readonly string[]): boolean {
    return !this.token || this.uncovered(this.token.scopes, dialect, needed).length < needed.length;
  }

  uncovered(held: readonly string[], dialect: string, needed: readonly string[]): string[] {
    return this.registry.uncovered(held, dialect, needed);
  }

  get credential(): Credential {
    const { user, token, presentedValue, isRetired, session } = this;
    if (session) {
      const { id: sessionId, userId, passwordVersion, role } = session;
      return { kind: 'session', userId, sessionId, passwordVersion, role };
    }
    if (!token) return { kind: 'password', userId: user.id, passwordVersion: user.passwordVersion };
    return { kind: 'token', userId: user.id, tokenUuid: token.id, value: presentedValue ?? '', isRetired };
  }

  get actor(): Actor {
    const { user, token, origin } = this;
    const actor = userActor(user, origin);
    if (!token) return actor;
    const { id, tokenId: auditId, name, createdAt } = token;
    return { ...actor, type: 'token', id, auditId, name, createdAt };
  }
}

/** A user who acts in person. */
export function userActor(user: User, origin: Origin): Actor {
  return {
    type: 'user',
    id: user.id,
    auditId: user.id,
    name: user.name ?? user.login,
    createdAt: user.createdAt,
    address: origin.address ?? null,
    userAgent: keptUserAgent(origin.userAgent),
    requestId: origin.requestId,
  };
}
