/**
 * Why somebody was not signed in, as the page of the console is told; docs/sign-in.md says what each means.
 *
 * - denied: by the provider or by the person, there;
 * - expired: too late, already used, or begun in another browser;
 * - unknownUser: nobody here is meant, and nobody is made;
 * - disabled: the user may not sign in;
 * - conflict: what would have to be linked or made is taken, or more than one;
 * - unavailable: the provider cannot be reached, or too much from this address has failed;
 * - failed: anything else; the log says what.
 */
export type SignInError =
  'denied' | 'expired' | 'unknownUser' | 'disabled' | 'conflict' | 'unavailable' | 'failed';

/** A sign-in that comes to nothing. The message is for the log and holds no secret and no token. */
export class SignInFailure extends Error {
  constructor(
    readonly error: SignInError,
    message: string,
    /** Whom it was about, where that is known. */
    readonly user: { id: string; login: string; createdAt: Date } | null = null,
  ) {
    super(message);
    this.name = 'SignInFailure';
  }
}
