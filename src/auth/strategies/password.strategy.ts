import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { settle } from '../../maybe-promise.js';
import type { BasicCredentials } from '../../protocol/credentials.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { ImportedValues } from '../../tokens/imports/imported-values.js';
import type { AuthenticationRequest } from '../authentication-request.js';
import { PasswordAuthenticator } from '../password-authenticator.js';
import { Principal } from '../principal.js';
import { TokenStrategy } from './token.strategy.js';

/** Login and password, as HTTP Basic carries them (RFC 7617). */
@Injectable()
export class PasswordStrategy extends passport.Strategy {
  override readonly name = 'password';

  constructor(
    private readonly passwords: PasswordAuthenticator,
    private readonly registry: DialectRegistry,
    private readonly imported: ImportedValues,
    private readonly tokens: TokenStrategy,
  ) {
    super();
  }

  /** Errors are refusals: unauthenticated; tooMany; for an imported token those of the token. */
  override authenticate(request: unknown): void {
    const asked = request as AuthenticationRequest;
    const { basic } = asked.credentials;
    if (!basic) {
      this.fail();
      return;
    }
    settle(
      () => this.callerOf(basic, asked),
      (principal) => this.success(principal),
      (error) => this.error(error),
    );
  }

  private async callerOf(basic: BasicCredentials, request: AuthenticationRequest): Promise<Principal> {
    const { origin } = request;
    const isImported = async (): Promise<boolean> =>
      (await this.imported.findOfLogin(basic.login, basic.secret)) !== undefined;
    const user = await this.passwords.checkOr(basic, origin, isImported);
    if (user) return new Principal(user, null, null, origin, this.registry);
    // Found by its value from now on.
    return this.tokens.importedCallerOf(basic, request);
  }
}
