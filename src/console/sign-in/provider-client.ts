import type * as OpenIdClient from 'openid-client';
import type { IDToken } from 'openid-client';
import type { Tracing } from '../../tracing.js';
import type { SignInProvider } from './sign-in-provider.js';
import { redirectUriOf } from './sign-in-provider.js';
import { SignInFailure } from './sign-in-failure.js';

/** How long one request to a provider may take. */
const TIMEOUT_SECONDS = 10;
/** What a provider says of itself changes rarely: endpoints move, keys are read again by themselves. */
const DISCOVERY_MAX_AGE_MS = 3_600_000;
/** Anybody can ask to be sent to a provider: one that does not answer is not asked again before this. */
const DISCOVERY_RETRY_MS = 5_000;

/** What a sign-in was begun with, and what its answer must fit. */
export interface Challenge {
  state: string;
  nonce: string;
  codeVerifier: string;
}

/** What a provider says of a person: the claims of the ID token, and those of its user-info endpoint beside them. */
export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly [claim: string]: unknown;
}

/** A client of one OpenID Connect provider: authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636). */
export class ProviderClient {
  private discovered: { configuration: OpenIdClient.Configuration; at: number } | undefined;
  private discovering: Promise<OpenIdClient.Configuration> | undefined;
  private failed: { failure: SignInFailure; at: number } | undefined;

  constructor(
    readonly provider: SignInProvider,
    private readonly publicUrl: string,
    private readonly tracing: Tracing,
  ) {}

  /**
   * A new challenge, and where a browser is to be sent with it.
   *
   * @throws {SignInFailure} unavailable.
   */
  async begin(): Promise<{ location: string; challenge: Challenge }> {
    const client = await openIdClient();
    const configuration = await this.configuration();
    const challenge = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
    };
    const location = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUriOf(this.provider, this.publicUrl),
      scope: this.provider.scopes,
      state: challenge.state,
      nonce: challenge.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(challenge.codeVerifier),
      code_challenge_method: 'S256',
    });
    return { location: location.href, challenge };
  }

  /**
   * Who has signed in, by the query that the provider has sent the browser back with.
   *
   * @throws {SignInFailure} denied, unavailable, failed.
   */
  async finish(query: string, { state, nonce, codeVerifier }: Challenge): Promise<Claims> {
    const client = await openIdClient();
    const configuration = await this.configuration();
    // Not the URL of the request, whose Host the client chose: the redirect URI is derived of it.
    const url = new URL(redirectUriOf(this.provider, this.publicUrl));
    url.search = query;
    try {
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw new SignInFailure('failed', 'The provider gave no ID token');
      if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
      const more = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return merged(claims, more);
    } catch (error) {
      throw failureOf(error);
    }
  }

  private async configuration(): Promise<OpenIdClient.Configuration> {
    const now = Date.now();
    if (this.discovered && now - this.discovered.at < DISCOVERY_MAX_AGE_MS)
      return this.discovered.configuration;
    if (this.failed && now - this.failed.at < DISCOVERY_RETRY_MS) throw this.failed.failure;
    this.discovering ??= this.discover().finally(() => (this.discovering = undefined));
    return this.discovering;
  }

  /** A step of the sign-in's trace, which the provider may go on with. Addresses and answers hold secrets: none is noted. */
  private readonly fetch: OpenIdClient.CustomFetch = (address, options) => {
    const attributes = {
      'http.request.method': options.method,
      'patois.sign_in_provider': this.provider.name,
    };
    return this.tracing.step({ name: 'sign-in provider', kind: 'client', attributes }, async (span) => {
      const headers = { ...options.headers, ...this.tracing.outgoing() };
      const answer = await fetch(address, { ...options, headers });
      span.set({ 'http.response.status_code': answer.status });
      return answer;
    });
  };

  private async discover(): Promise<OpenIdClient.Configuration> {
    const client = await openIdClient();
    const { issuer, clientId, clientSecret } = this.provider;
    const server = new URL(issuer);
    try {
      const configuration = await client.discovery(
        server,
        clientId,
        {},
        clientSecret === undefined ? client.None() : secretAuthentication(client, clientSecret),
        {
          timeout: TIMEOUT_SECONDS,
          [client.customFetch]: this.fetch,
          execute: [
            // What stands in an ID token is believed for its signature, not for the connection it came over.
            client.enableNonRepudiationChecks,
            ...(server.protocol === 'http:' ? [client.allowInsecureRequests] : []),
          ],
        },
      );
      this.discovered = { configuration, at: Date.now() };
      this.failed = undefined;
      return configuration;
    } catch (error) {
      const failure = new SignInFailure('unavailable', `Discovery at ${issuer}: ${reasonOf(error)}`);
      this.failed = { failure, at: Date.now() };
      throw failure;
    }
  }
}

/** Loaded when somebody first signs in: a start without providers does not pay for it. */
function openIdClient(): Promise<typeof OpenIdClient> {
  return import('openid-client');
}

/**
 * By HTTP Basic, which a provider that names no methods takes (OpenID Connect Discovery 1.0, 3), or else by the form, which
 * some take alone.
 */
function secretAuthentication(client: typeof OpenIdClient, secret: string): OpenIdClient.ClientAuth {
  const basic = client.ClientSecretBasic(secret);
  const post = client.ClientSecretPost(secret);
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

/** Those of the ID token count first; that an address is verified, of that address alone. */
function merged(idToken: IDToken, userInfo: Readonly<Record<string, unknown>>): Claims {
  const both = { ...userInfo, ...idToken };
  const said = [idToken, userInfo].find(
    ({ email, email_verified: isVerified }) => email === both.email && isVerified !== undefined,
  );
  return { ...both, email_verified: said?.['email_verified'] };
}

/** What the library's errors hold beside their message. */
type LibraryError = Error & { code?: string; error?: string; status?: number };

function failureOf(error: unknown): SignInFailure {
  if (error instanceof SignInFailure) return error;
  const { code: kind, error: code, status = 0, cause } = error as LibraryError;
  const isAnswer = kind === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR';
  if (isAnswer && code === 'access_denied') return new SignInFailure('denied', 'The provider denied it');
  const isAway =
    isNetworkError(error) ||
    status >= 500 ||
    (cause instanceof Response && cause.status >= 500) ||
    (isAnswer && (code === 'temporarily_unavailable' || code === 'server_error'));
  return new SignInFailure(isAway ? 'unavailable' : 'failed', reasonOf(error));
}

/** Of `fetch`, as it is or as the library wraps it. */
function isNetworkError(error: unknown): boolean {
  const { name, message, code, cause } = error as LibraryError;
  if (code === 'OAUTH_TIMEOUT' || name === 'TimeoutError') return true;
  return message === 'fetch failed' || (typeof cause === 'object' && cause !== null && isNetworkError(cause));
}

/**
 * The library's own words, and the code of an error of RFC 6749; nothing that a provider or a browser wrote freely, which
 * may repeat what was sent.
 */
function reasonOf(error: unknown): string {
  const { message, code, error: answered, cause } = error as LibraryError;
  const { name, message: more, code: moreCode } = (cause ?? {}) as Partial<LibraryError>;
  const isOfLibrary = name === 'OperationProcessingError';
  const codes = [code, answered, moreCode].filter((one) => typeof one === 'string' && /^\w{1,60}$/.test(one));
  return [message, ...(isOfLibrary && more !== undefined ? [more] : []), ...new Set(codes)].join(', ');
}
