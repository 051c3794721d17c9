import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { User } from '../../accounts/user.entity.js';
import { FailureCounter } from '../../hashing/failure-counter.js';
import { networkOf } from '../../network/cidr.js';
import { PendingSignIns } from './pending-sign-in.js';
import type { ProviderClient } from './provider-client.js';
import { localPath } from './return-to.js';
import { SignedInUsers } from './signed-in-users.js';
import { SignInFailure } from './sign-in-failure.js';

/** A code is some hundred characters; providers that put a token into it come to 2,000. */
const MAX_QUERY_LENGTH = 8_192;
const FAILURE_WINDOW_SECONDS = 300;
/** Who has a cookie can send any number of made-up codes with it, and each is a request to the provider. */
const MAX_FAILURES_OF_ADDRESS = 30;

/** Sign-in by a provider: there, and back. */
@Injectable()
export class SignIns {
  private readonly failures = new FailureCounter(MAX_FAILURES_OF_ADDRESS, FAILURE_WINDOW_SECONDS);

  constructor(
    private readonly pending: PendingSignIns,
    private readonly users: SignedInUsers,
  ) {}

  /**
   * Where a browser is to be sent, and the cookie that it is to come back with.
   *
   * @throws {SignInFailure} unavailable.
   */
  async begin(client: ProviderClient, returnTo: unknown): Promise<{ location: string; cookie: string }> {
    const { location, challenge } = await client.begin();
    const provider = client.provider.name;
    const pending = { ...challenge, provider, returnTo: localPath(returnTo) };
    return { location, cookie: this.pending.remember(pending) };
  }

  /**
   * Who has come back. A request that does not fit a cookie of ours costs neither a request to the provider nor a query.
   *
   * @throws {SignInFailure}
   */
  async finish(
    client: ProviderClient,
    request: FastifyRequest,
  ): Promise<{ user: User; returnTo: string; forget: string }> {
    const { origin } = request.patois;
    const pending = this.pending.recall(request);
    if (pending?.provider !== client.provider.name) {
      throw new SignInFailure('expired', 'The browser has no sign-in with this provider under way');
    }
    const [, query = ''] = /\?([^#]*)/.exec(request.url) ?? [];
    if (query.length > MAX_QUERY_LENGTH) throw new SignInFailure('failed', 'The query is too long');
    if (new URLSearchParams(query).get('state') !== pending.state) {
      throw new SignInFailure('expired', 'The state is that of another sign-in');
    }
    const { state, nonce, codeVerifier, returnTo } = pending;
    const claims = await this.counted(networkOf(origin.address), () =>
      client.finish(query, { state, nonce, codeVerifier }),
    );
    const user = await this.users.resolve(client.provider, claims, origin);
    return { user, returnTo, forget: this.pending.forget() };
  }

  private async counted<Result>(network: string, ask: () => Promise<Result>): Promise<Result> {
    if (this.failures.secondsBlocked(network) > 0) {
      throw new SignInFailure('unavailable', 'Too many have failed from this address');
    }
    try {
      return await ask();
    } catch (error) {
      // What the person denied has cost the provider nothing.
      if (!(error instanceof SignInFailure && error.error === 'denied')) this.failures.count(network);
      throw error;
    }
  }
}
