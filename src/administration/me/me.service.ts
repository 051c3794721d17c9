import { Injectable } from '@nestjs/common';
import { AccountsService } from '../../accounts/accounts.service.js';
import type { User } from '../../accounts/user.entity.js';
import { locationsJson, organizationJson, type UserRow, UserRows } from '../../accounts/user-rows.js';
import { type Statement, Statements, statementOf } from '../../database/statements.js';
import { PasswordAuthenticator } from '../../auth/password-authenticator.js';
import type { Principal } from '../../auth/principal.js';
import type { Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import type { ChangePassword } from './me.dto.js';

/** What callers see and change of themselves. */
@Injectable()
export class MeService {
  private found: Statement | undefined;

  constructor(
    private readonly statements: Statements,
    private readonly rows: UserRows,
    private readonly passwords: PasswordAuthenticator,
    private readonly accounts: AccountsService,
  ) {}

  /** @throws {Refusal} unauthenticated once the user is gone: who calls is known from memory, a moment behind. */
  async get({ user: { id } }: Principal): Promise<User> {
    const [row] = await this.statements.run<UserRow>(this.finding, [id]);
    if (!row) throw new Refusal('unauthenticated', { reason: 'ownerDisabled' });
    return this.rows.userOf(row);
  }

  private get finding(): Statement {
    this.found ??= statementOf(
      'find-user',
      `SELECT (SELECT row_to_json(r) FROM (SELECT ${this.rows.columns('u')}) r) AS "user",
         ${organizationJson('u')} AS organization, ${locationsJson('u')} AS locations
       FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`,
    );
    return this.found;
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
