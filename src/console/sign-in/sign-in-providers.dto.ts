import { ApiProperty } from '@nestjs/swagger';
import type { Role } from '../../accounts/user.entity.js';
import { type ClaimMapping, redirectUriOf, type SignInProvider } from './sign-in-provider.js';

/** A provider as the page shows it that offers to sign in. */
export class SignInProviderReference {
  /**
   * People sign in at `/console/sign-in/{name}`.
   * @example 'corp'
   */
  name: string;

  /** @example 'Example Corp' */
  title: string;

  constructor({ name, title }: SignInProvider) {
    this.name = name;
    this.title = title;
  }
}

/** All providers, in the order of the file. */
export class SignInProviderList {
  items: SignInProviderReference[];

  /** There is one page. */
  @ApiProperty({ type: 'null', example: null })
  nextCursor = null;

  constructor(providers: SignInProvider[]) {
    this.items = providers.map((provider) => new SignInProviderReference(provider));
  }
}

/** The settings of a provider, without the secret. */
export class SignInProviderSettings {
  /** @example 'corp' */
  name: string;

  /** @example 'Example Corp' */
  title: string;

  /** @example 'https://id.example.com' */
  issuer: string;

  /** @example 'patois' */
  clientId: string;

  /** Whether the client has a secret, which is not shown. */
  hasClientSecret: boolean;

  /** @example 'openid profile email' */
  scopes: string;

  /** Whether somebody new is linked to the one user who has the e-mail address that the provider has verified. */
  linksByVerifiedEmail: boolean;

  /** Whether a user is made for somebody new. */
  createsUsers: boolean;

  /** @example 'preferred_username' */
  loginClaim: string;

  /**
   * Null: the organization is not taken from claims.
   * @example 'department'
   */
  organizationClaim: string | null;

  /** The organizations, by values of the claim. */
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: { type: 'string' },
    example: { engineering: 'Default' },
  })
  organizations: Record<string, string> | null;

  /**
   * Null: the role is not taken from claims.
   * @example 'groups'
   */
  roleClaim: string | null;

  /** The roles, by values of the claim. */
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: { type: 'string' },
    example: { 'patois-admins': 'administrator' },
  })
  roles: Record<string, Role> | null;

  /**
   * What is to be registered with the provider.
   * @example 'https://tokens.example.com/console/sign-in/corp/callback'
   */
  redirectUri: string;

  constructor(provider: SignInProvider, publicUrl: string) {
    this.name = provider.name;
    this.title = provider.title;
    this.issuer = provider.issuer;
    this.clientId = provider.clientId;
    this.hasClientSecret = provider.clientSecret !== undefined;
    this.scopes = provider.scopes;
    this.linksByVerifiedEmail = provider.linksByVerifiedEmail;
    this.createsUsers = provider.createsUsers;
    this.loginClaim = provider.loginClaim;
    this.organizationClaim = provider.organization?.claim ?? null;
    this.organizations = meaningsOf(provider.organization);
    this.roleClaim = provider.role?.claim ?? null;
    this.roles = meaningsOf(provider.role);
    this.redirectUri = redirectUriOf(provider, publicUrl);
  }
}

function meaningsOf<Meaning>(mapping: ClaimMapping<Meaning> | undefined): Record<string, Meaning> | null {
  return mapping ? Object.fromEntries(mapping.meanings) : null;
}
