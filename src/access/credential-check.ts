import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import passport from 'passport';
import { Authenticator } from './authenticator.js';
import type { Presented } from './credentials.js';
import type { PathOwner } from './dialect.js';
import type { Origin, Principal } from './principal.js';
import { settle } from './soon.js';

/** All that a strategy gets to see of a request. */
interface CredentialFacts {
  presented: Presented;
  origin: Origin;
}

/** The passport strategy of one owner of paths: what it presents becomes a principal, or a refusal. */
class CredentialStrategy extends passport.Strategy {
  constructor(
    override readonly name: string,
    private readonly authenticator: Authenticator,
  ) {
    super();
  }

  override authenticate(facts: unknown): void {
    const { presented, origin } = facts as CredentialFacts;
    settle(
      () => this.authenticator.authenticate(presented, origin),
      (principal) => this.success(principal),
      (problem) => this.error(problem),
    );
  }
}

/** Asks who is calling, through the strategy of the request path's owner. */
@Injectable()
export class CredentialCheck {
  /** Not passport's process-wide instance: two apps in one process must not share strategies. */
  private readonly passport = new passport.Authenticator();
  private readonly registered = new Set<string>();

  constructor(private readonly authenticator: Authenticator) {}

  /** @throws {Refusal} what {@link Authenticator.authenticate} throws. */
  check(request: FastifyRequest): Promise<Principal> {
    const { owner, origin } = request.patois;
    this.register(owner);
    const facts: CredentialFacts = { presented: owner.presented(request), origin };
    return new Promise((resolve, reject) => {
      const settle = (problem: Error | null, principal?: Principal | false): void => {
        if (principal) resolve(principal);
        else reject(problem ?? new Error('The strategy gave neither a principal nor a refusal'));
      };
      this.passport.authenticate(owner.name, { session: false }, settle)(facts, undefined, settle);
    });
  }

  private register({ name }: PathOwner): void {
    if (this.registered.has(name)) return;
    this.passport.use(new CredentialStrategy(name, this.authenticator));
    this.registered.add(name);
  }
}
