import type { BasicCredentials } from '../access/credentials.js';
import type { Token } from '../tokens/token.entity.js';

/** The user name that stands for whoever owns the token that is the password. */
const ANY_OWNER = '$app';

/** The login that a token is claimed for, where it came as the password of HTTP Basic; undefined: nobody's in particular. */
export function claimedLoginOf(basic: BasicCredentials | undefined, value: string): string | undefined {
  return basic?.secret === value && basic.login !== ANY_OWNER ? basic.login : undefined;
}

/** Whether a token is the claimed login's. */
export function isOwnedBy(token: Token, claimedLogin: string | undefined): boolean {
  return claimedLogin === undefined || token.owner.login.toLowerCase() === claimedLogin.toLowerCase();
}
