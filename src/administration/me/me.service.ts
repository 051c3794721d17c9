import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountsService } from '../../accounts/accounts.service.js';
import { User } from '../../accounts/user.entity.js';
import { PasswordAuthenticator } from '../../auth/password-authenticator.js';
import type { Principal } from '../../auth/principal.js';
import type { Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import type { ChangePassword } from './me.dto.js';

/** What callers see and change of themselves. */
@Injectable()
export class MeService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly passwords: PasswordAuthenticator,
    private readonly accounts: AccountsService,
  ) {}

  /** @throws {Refusal} unauthenticated once the user is gone: who calls is known from memory, a moment behind. */
  async get({ user: { id } }: Principal): Promise<User> {
    const relations = { organization: true, locations: true };
    const user = await this.dataSource.manager.findOne(User, { where: { id }, relations });
    if (!user) throw new Refusal('unauthenticated', { reason: 'ownerDisabled' });
    return user;
  }

  /**
   * @throws {Refusal} forbidden for a token, and for a wrong old password, which counts as a failed login; tooMany;
   *   conflict where the password was changed, or the user disabled, in the meantime.
   */
  async changePassword(
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
