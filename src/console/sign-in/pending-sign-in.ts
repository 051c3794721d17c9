import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { cookieHeader, cookieOf } from '../../http/cookies.js';
import type { WithRaw } from '../../protocol/dialect.js';
import type { Challenge } from './provider-client.js';

const COOKIE = 'patois_sign_in';
/** How long somebody has to sign in at the provider. */
const LIFETIME_SECONDS = 600;
const BINDING = 'console sign-in';

/** What is remembered of somebody who was sent to a provider. */
export interface PendingSignIn extends Challenge {
  /** The provider's name. */
  provider: string;
  /** A path below `/console`. */
  returnTo: string;
}

interface Sealed extends PendingSignIn {
  /** Milliseconds since 1970; exclusive. */
  expiresAt: number;
}

/**
 * Remembers who was sent to a provider, in a cookie of their browser and nowhere else: so any replica can answer when they
 * come back. Sealed, because the code verifier is a secret until then. SameSite=Lax, because they come from another site.
 */
@Injectable()
export class PendingSignIns {
  private readonly name: string;
  private readonly isSecure: boolean;

  constructor(
    private readonly hashing: HashingService,
    @Inject(CONFIG) { publicUrl = '' }: Config,
  ) {
    this.isSecure = publicUrl.startsWith('https:');
    // RFC 6265bis, 4.1.3.2: no other host, and nothing without TLS, can set a cookie of that prefix.
    this.name = this.isSecure ? `__Host-${COOKIE}` : COOKIE;
  }

  /** A `Set-Cookie` header by which a browser remembers it. */
  remember(pending: PendingSignIn): string {
    const sealed: Sealed = { ...pending, expiresAt: Date.now() + LIFETIME_SECONDS * 1000 };
    const text = this.hashing.seal(JSON.stringify(sealed), BINDING);
    return this.cookie(Buffer.from(text).toString('base64url'), LIFETIME_SECONDS);
  }

  /** A `Set-Cookie` header by which a browser forgets it. */
  forget(): string {
    return this.cookie('', 0);
  }

  /** What a browser remembers; undefined for nothing, or what has expired or was not made here. */
  recall(request: WithRaw): PendingSignIn | undefined {
    const value = cookieOf(request, this.name);
    if (value === undefined) return undefined;
    const text = this.hashing.open(Buffer.from(value, 'base64url').toString(), BINDING);
    if (text === undefined) return undefined;
    const { expiresAt, ...pending } = JSON.parse(text) as Sealed;
    return expiresAt > Date.now() ? pending : undefined;
  }

  private cookie(value: string, maxAgeSeconds: number): string {
    const { name, isSecure } = this;
    return cookieHeader({ name, value, path: '/', maxAgeSeconds, sameSite: 'Lax', isSecure });
  }
}
