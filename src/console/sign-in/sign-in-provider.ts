import type { Role } from '../../accounts/user.entity.js';

/** What modules inject the providers of `OIDC_PROVIDERS` by, a list of {@link SignInProvider}. */
export const SIGN_IN_PROVIDERS = Symbol('sign-in providers');

/** An OpenID Connect provider that people sign in to the console by. docs/sign-in.md says what each key means. */
export interface SignInProvider {
  /** Stands in paths: lower-case letters, digits and hyphens. */
  name: string;
  title: string;
  issuer: string;
  clientId: string;
  /** Undefined: a public client, which proves itself by PKCE alone. */
  clientSecret: string | undefined;
  /** Separated by blanks. */
  scopes: string;
  linksByVerifiedEmail: boolean;
  createsUsers: boolean;
  loginClaim: string;
  organization: ClaimMapping<string> | undefined;
  role: ClaimMapping<Role> | undefined;
}

/** Values of a claim and what they stand for, in the order of the file. */
export interface ClaimMapping<Meaning> {
  claim: string;
  meanings: ReadonlyMap<string, Meaning>;
}

/** Where a provider sends people back to: what is registered with it. */
export function redirectUriOf({ name }: Pick<SignInProvider, 'name'>, publicUrl: string): string {
  return `${publicUrl}/console/sign-in/${name}/callback`;
}
