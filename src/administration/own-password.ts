import { Injectable } from '@nestjs/common';
import { Passwords } from '../access/passwords.js';
import type { Origin, Principal } from '../access/principal.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { Refusal } from '../tokens/refusal.js';
import type { ChangePassword } from './accounts.dto.js';

/** How users change their own password. */
@Injectable()
export class OwnPassword {
  constructor(
    private readonly passwords: Passwords,
    private readonly accounts: AccountsService,
  ) {}

  /**
   * @throws {Refusal} forbidden for a token, and for a wrong old password, which counts as a failed login; tooMany;
   *   conflict where the password was changed, or the user disabled, in the meantime.
   */
  async change(
    caller: Principal,
    { oldPassword, newPassword }: ChangePassword,
    origin: Origin,
  ): Promise<void> {
    if (caller.token) {
      const message = 'A password is changed by password, not through a token';
      throw new Refusal('forbidden', { reason: 'role', message });
    }
    const { id, login } = caller.user;
    const user = await this.passwords
      .check({ login, secret: oldPassword }, origin)
      .catch((error: unknown): never => {
        throw asRefusal(error);
      });
    const { passwordDigest } = user;
    const newDigest = await this.passwords.hash(newPassword, origin);
    const isDone =
      user.id === id &&
      passwordDigest !== null &&
      (await this.accounts.swapPassword(id, passwordDigest, newDigest, caller.actor));
    if (!isDone) {
      throw new Refusal('conflict', {
        reason: 'superseded',
        message: 'The account was changed by another call',
      });
    }
  }
}

/** The credential of the call was right: a client that is told otherwise would drop it. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof Refusal) || error.reason !== 'password' || error.kind !== 'unauthenticated')
    return error;
  const message = 'oldPassword is not the password';
  const fields = [{ path: ['oldPassword'], rule: 'password', message }];
  return new Refusal('forbidden', { reason: 'password', message, fields });
}
