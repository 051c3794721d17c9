export const CONSOLE = '/console';
/** Where the console tells people to sign in, and why it came to nothing. */
export const SIGN_IN_PAGE = `${CONSOLE}/sign-in`;
/** It is kept in a cookie. */
const MAX_LENGTH = 1024;
const ANY_ORIGIN = 'http://patois.invalid';

/** A path of the console, as it was asked for, or the console's own where that is anything else. */
export function localPath(asked: unknown): string {
  if (typeof asked !== 'string' || asked.length > MAX_LENGTH || !URL.canParse(asked, ANY_ORIGIN)) {
    return CONSOLE;
  }
  // As browsers read it: without dot segments, and with backslashes as slashes.
  const { origin, pathname, search, hash } = new URL(asked, ANY_ORIGIN);
  const isLocal = origin === ANY_ORIGIN && (pathname === CONSOLE || pathname.startsWith(`${CONSOLE}/`));
  const isSignIn = pathname === SIGN_IN_PAGE || pathname.startsWith(`${SIGN_IN_PAGE}/`);
  const path = pathname + search + hash;
  return isLocal && !isSignIn && path.length <= MAX_LENGTH ? path : CONSOLE;
}
