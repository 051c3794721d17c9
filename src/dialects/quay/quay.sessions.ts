import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { CONFIG, type Config } from '../../config.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { cookieHeader, cookieOf } from '../../http/cookies.js';
import { headerLines } from '../../http/header-lines.js';
import type { LoginSession } from '../../protocol/credentials.js';
import type { WithRaw } from '../../protocol/dialect.js';

// Quay's cookie is called `_csrf_token`, is for all paths and SameSite=Lax (`SESSION_COOKIE_NAME` in
// config.py). Clients only give it back, so name, path, SameSite and lifetime were decided here.
const COOKIE = 'quay_session';
/** Sent to this API only. */
const COOKIE_PATH = '/api/v1';
// `_QUAY_CSRF_HEADER_NAME` in https://github.com/quay/quay/blob/master/endpoints/csrf.py
const CSRF_HEADER = 'x-csrf-token';
/** A client runs for seconds, and the session that it leaves behind should end soon. */
const LIFETIME_SECONDS = 600;
const BINDING = 'quay session';

/** The content of a cookie, which is sealed. */
interface Sealed {
  /** SHA-256 of the CSRF token that the session is bound to, base64. */
  csrfDigest: string;
  /** Milliseconds since 1970; exclusive. */
  expiresAt: number;
  /** Null before the login. */
  login: LoginSession | null;
}

/** A new session: what the client sends with each call. */
export interface NewSession {
  csrfToken: string;
  /** A `Set-Cookie` header. */
  cookie: string;
}

/**
 * Sessions of clients that log in once and then send a cookie and a CSRF token. The server stores nothing:
 * the cookie holds the session, sealed under the key ring, so that every replica can read it. It is valid for
 * ten minutes, for this API only, and only together with the CSRF token that it is bound to, which no browser
 * sends by itself. Quay asks for that token on changes only (`csrf_protect` in endpoints/csrf.py); here GET
 * needs it, too.
 */
@Injectable()
export class QuaySessions {
  constructor(
    private readonly hashing: HashingService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl'>,
  ) {}

  /** @param login null: a session that may log in, and nothing else. */
  begin(request: FastifyRequest, login: LoginSession | null): NewSession {
    const csrfToken = randomBytes(32).toString('base64url');
    const expiresAt = Date.now() + LIFETIME_SECONDS * 1000;
    const sealed: Sealed = { csrfDigest: digestOf(csrfToken).toString('base64'), expiresAt, login };
    const text = this.hashing.seal(JSON.stringify(sealed), BINDING);
    const value = Buffer.from(text).toString('base64url');
    return { csrfToken, cookie: this.cookie(request, value, LIFETIME_SECONDS) };
  }

  /** A `Set-Cookie` header that makes a client forget its session. */
  end(request: FastifyRequest): string {
    return this.cookie(request, '', 0);
  }

  /** The session of a request that has its CSRF token, too; undefined for none or one that has expired. */
  read(request: WithRaw): { login: LoginSession | null } | undefined {
    const [csrfToken, ...others] = headerLines(request, CSRF_HEADER);
    const value = cookieOf(request, COOKIE);
    if (csrfToken === undefined || others.length > 0 || value === undefined) return undefined;
    const text = this.hashing.open(Buffer.from(value, 'base64url').toString(), BINDING);
    if (text === undefined) return undefined;
    const { csrfDigest, expiresAt, login } = JSON.parse(text) as Sealed;
    const isBound = timingSafeEqual(digestOf(csrfToken), Buffer.from(csrfDigest, 'base64'));
    return isBound && expiresAt > Date.now() ? { login } : undefined;
  }

  private cookie({ protocol }: FastifyRequest, value: string, maxAgeSeconds: number): string {
    const isSecure = (this.config.publicUrl ?? protocol).startsWith('https');
    return cookieHeader({
      name: COOKIE,
      value,
      path: COOKIE_PATH,
      maxAgeSeconds,
      sameSite: 'Strict',
      isSecure,
    });
  }
}

function digestOf(csrfToken: string): Buffer {
  return createHash('sha256').update(csrfToken).digest();
}
