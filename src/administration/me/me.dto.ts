import type { User as Account } from '../../accounts/user.entity.js';
import type { Principal } from '../../auth/principal.js';
import { IsPassword, IsText } from '../../http/validation/fields.js';
import type { Origin } from '../../protocol/origin.js';
import { User } from '../users/users.dto.js';

/** More than any password has. */
const PASSWORD = 100;

/** The body that changes the caller's own password. */
export class ChangePassword {
  /**
   * The current password.
   * @example 'correct horse battery'
   */
  @IsText(PASSWORD)
  oldPassword!: string;

  /**
   * 8 to 72 bytes.
   * @example 'incorrect horse battery'
   */
  @IsPassword()
  newPassword!: string;
}

/** The token of a call. */
export class CallingToken {
  /** @example 'pt-4fK2mZq81LxT' */
  tokenId: string;

  /** @example 'patois' */
  dialect: string;

  /** @example ['patois:tokens.read'] */
  scopes: string[];

  constructor({ tokenId, dialect, scopes }: NonNullable<Principal['token']>) {
    this.tokenId = tokenId;
    this.dialect = dialect;
    this.scopes = scopes;
  }
}

/** Who is calling. */
export class Me {
  user: User;

  /** Null if the call was made by password. */
  token: CallingToken | null;

  /**
   * Where the call came from, as the server sees it; null if that is not known.
   * @example '203.0.113.7'
   */
  address: string | null;

  constructor(user: Account, token: Principal['token'], { address }: Origin) {
    this.user = new User(user);
    this.token = token && new CallingToken(token);
    this.address = address ?? null;
  }
}
