import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** What the provider says of an account, by the account's name, which is the subject. */
export type Accounts = Record<string, Record<string, unknown>>;

export interface IdentityProviderOptions {
  clientId?: string;
  clientSecret?: string;
  redirectUris: string[];
  /** Whether claims are in the ID token as well, and not at the user-info endpoint alone. */
  putsClaimsIntoIdToken?: boolean;
}

interface GrantContext {
  oidc: {
    client: { clientId: string };
    session: { accountId: string };
    provider: Provider;
    params: { scope: string };
  };
}

/** `oidc-provider` on a port of this machine. Whoever comes signs in by the name that the browser adds: `?account=ada`. */
export class IdentityProvider {
  /** `METHOD /path` of every request so far. */
  readonly requests: string[] = [];
  /** What the last request to a path said of the trace that it is a part of. */
  readonly traceparents = new Map<string, IncomingHttpHeaders[string]>();
  /** Who sits before the browser, where that names nobody. */
  present: string | undefined;
  /** Changes the answers of the token endpoint; their length must stay. */
  tamper: ((body: string) => string) | undefined;
  private handler: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

  private constructor(
    readonly issuer: string,
    private readonly server: Server,
    readonly accounts: Accounts,
  ) {
    this.handler = async () => undefined;
  }

  static async start(options: IdentityProviderOptions): Promise<IdentityProvider> {
    const accounts: Accounts = {};
    const server = createServer((request, response) => void provider.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const provider = new IdentityProvider(`http://127.0.0.1:${port}`, server, accounts);
    provider.serve(options);
    return provider;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private serve(options: IdentityProviderOptions): void {
    const { clientId = 'patois', clientSecret, redirectUris, putsClaimsIntoIdToken = false } = options;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'test' };
    const authentication =
      clientSecret === undefined
        ? { token_endpoint_auth_method: 'none' }
        : { client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' };
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: clientId, redirect_uris: redirectUris, ...authentication }],
      jwks: { keys: [key] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name', 'preferred_username', 'groups', 'department'],
      },
      conformIdTokenClaims: !putsClaimsIntoIdToken,
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      // Asks nobody for consent.
      loadExistingGrant: async ({ oidc }: GrantContext) => {
        const grant = new oidc.provider.Grant({
          clientId: oidc.client.clientId,
          accountId: oidc.session.accountId,
        });
        grant.addOIDCScope(oidc.params.scope);
        await grant.save();
        return grant;
      },
      pkce: { required: () => true },
      findAccount: (_: unknown, accountId: string) => ({
        accountId,
        claims: async () => ({ ...this.accounts[accountId], sub: accountId }),
      }),
    });
    const callback = provider.callback();
    this.handler = async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', this.issuer);
      if (!pathname.startsWith('/interaction/')) return callback(request, response);
      const accountId = searchParams.get('account') ?? this.present ?? null;
      const result = accountId === null ? { error: 'access_denied' } : { login: { accountId } };
      return provider.interactionFinished(request, response, result);
    };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.issuer);
    this.requests.push(`${request.method} ${pathname}`);
    this.traceparents.set(pathname, request.headers['traceparent']);
    const { tamper } = this;
    if (pathname === '/token' && tamper) {
      const end = response.end.bind(response) as (body: string) => ServerResponse;
      response.end = ((body: unknown) => end(tamper(String(body)))) as ServerResponse['end'];
    }
    await this.handler(request, response);
  }
}
