import type { BasicCredentials } from '../protocol/credentials.js';

/** The user name that stands for the owner of the token, which comes as the password. */
const ANY_OWNER = '$app';

/** The login that HTTP Basic names for a token that is its password; undefined: no particular owner. */
export function claimedLoginOf(basic: BasicCredentials | undefined, value: string): string | undefined {
  return basic?.secret === value && basic.login !== ANY_OWNER ? basic.login : undefined;
}
