import { ApiProperty } from '@nestjs/swagger';

/** An error of RFC 7644, 3.12. */
export class ScimError {
  /** @example ['urn:ietf:params:scim:api:messages:2.0:Error'] */
  schemas!: string[];

  /**
   * What is wrong, for programs; with 400 and 409 alone.
   * @example 'invalidValue'
   */
  scimType?: string;

  /** @example 'userName must be 1 to 100 ASCII letters, digits and ._@+-' */
  detail!: string;

  /**
   * The status, as text.
   * @example '400'
   */
  status!: string;
}

/** What every resource says of itself. */
export class ScimMeta {
  /** @example 'User' */
  resourceType!: string;

  /** @example '2031-05-06T07:08:09.000Z' */
  created?: string;

  /** @example '2031-05-06T07:08:09.000Z' */
  lastModified?: string;

  /** @example 'https://patois.example/scim/v2/Users/3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  location!: string;
}

/** An e-mail address. */
export class ScimEmail {
  /** @example 'ada@example.org' */
  value?: string;

  /** @example 'work' */
  type?: string;

  /** @example true */
  primary?: boolean;
}

/** The parts of a name. */
export class ScimName {
  /** @example 'Ada Lovelace' */
  formatted?: string;

  /** @example 'Lovelace' */
  familyName?: string;

  /** @example 'Ada' */
  givenName?: string;
}

/** A user, RFC 7643, 4.1, with any further attributes that a client has set. */
export class ScimUser {
  /** @example ['urn:ietf:params:scim:schemas:core:2.0:User'] */
  schemas?: string[];

  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  id?: string;

  /**
   * The id in the identity provider. Unique in the organization.
   * @example '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159'
   */
  externalId?: string;

  /**
   * The login.
   * @example 'ada@example.org'
   */
  userName?: string;

  name?: ScimName;

  /** @example 'Ada Lovelace' */
  displayName?: string;

  emails?: ScimEmail[];

  /** False: no password and no token of the user works. */
  active?: boolean;

  meta?: ScimMeta;
}

/** A user in a group. */
export class ScimMember {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  value!: string;

  $ref?: string | null;

  /** @example 'Ada Lovelace' */
  display?: string;

  /** @example 'User' */
  type?: string;
}

/** A group, RFC 7643, 4.2. */
export class ScimGroup {
  /** @example ['urn:ietf:params:scim:schemas:core:2.0:Group'] */
  schemas?: string[];

  /** @example '0d6f6a0e-7a3f-4f0e-8f0b-3f2b8a1c9d55' */
  id?: string;

  /** @example '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159' */
  externalId?: string;

  /**
   * Unique in the organization, case-insensitively.
   * @example 'Engineering'
   */
  displayName?: string;

  members?: ScimMember[];

  meta?: ScimMeta;
}

/** What the answers of lists share, RFC 7644, 3.4.2. */
class ScimList {
  /** @example ['urn:ietf:params:scim:api:messages:2.0:ListResponse'] */
  schemas!: string[];

  /** How many there are in all. */
  totalResults!: number;

  /** @example 1 */
  startIndex!: number;

  /** How many this answer has. */
  itemsPerPage!: number;
}

export class ScimUserList extends ScimList {
  Resources!: ScimUser[];
}

export class ScimGroupList extends ScimList {
  Resources!: ScimGroup[];
}

/** One operation of a PATCH. */
export class ScimPatchOperation {
  /**
   * `add`, `remove` or `replace`, in any case.
   * @example 'replace'
   */
  op!: string;

  /** @example 'name.familyName' */
  path?: string;

  @ApiProperty({
    anyOf: [
      { type: 'string' },
      { type: 'boolean' },
      { type: 'object', additionalProperties: true },
      { type: 'array', items: {} },
    ],
    required: false,
    example: 'Lovelace',
  })
  value?: unknown;
}

/** A PATCH, RFC 7644, 3.5.2. */
export class ScimPatch {
  /** @example ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] */
  schemas!: string[];

  Operations!: ScimPatchOperation[];
}

/** The body of a search, RFC 7644, 3.4.3. */
export class ScimSearch {
  /** @example ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] */
  schemas?: string[];

  /** @example 'userName eq "ada@example.org"' */
  filter?: string;

  startIndex?: number;

  count?: number;

  /** @example ['userName'] */
  attributes?: string[];

  /** @example ['groups'] */
  excludedAttributes?: string[];
}

/** A part of the protocol, and whether it is there. */
export class ScimFeature {
  supported!: boolean;
}

export class ScimBulkFeature extends ScimFeature {
  maxOperations!: number;

  maxPayloadSize!: number;
}

export class ScimFilterFeature extends ScimFeature {
  maxResults!: number;
}

/** A way to authenticate. */
export class ScimAuthenticationScheme {
  /** @example 'oauthbearertoken' */
  type!: string;

  /** @example 'Bearer token' */
  name!: string;

  /** @example 'A token of Patois with the scope patois:scim' */
  description!: string;

  /** @example 'https://www.rfc-editor.org/rfc/rfc6750' */
  specUri?: string;

  primary?: boolean;
}

/** What of the protocol is there, RFC 7643, 5. */
export class ScimServiceProviderConfig {
  /** @example ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'] */
  schemas!: string[];

  patch!: ScimFeature;

  bulk!: ScimBulkFeature;

  filter!: ScimFilterFeature;

  changePassword!: ScimFeature;

  sort!: ScimFeature;

  etag!: ScimFeature;

  authenticationSchemes!: ScimAuthenticationScheme[];

  meta!: ScimMeta;
}

/** A schema beside the core one of a resource. */
export class ScimSchemaExtension {
  /** @example 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User' */
  schema!: string;

  required!: boolean;
}

/** A kind of resource, RFC 7643, 6. */
export class ScimResourceType {
  /** @example ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'] */
  schemas!: string[];

  /** @example 'User' */
  id!: string;

  /** @example 'User' */
  name!: string;

  /** @example '/Users' */
  endpoint!: string;

  /** @example 'Users of the organization' */
  description!: string;

  /** @example 'urn:ietf:params:scim:schemas:core:2.0:User' */
  schema!: string;

  schemaExtensions!: ScimSchemaExtension[];

  meta!: ScimMeta;
}

export class ScimResourceTypeList extends ScimList {
  Resources!: ScimResourceType[];
}

/** An attribute of a schema, RFC 7643, 7. */
export class ScimAttribute {
  /** @example 'userName' */
  name!: string;

  /** @example 'string' */
  type!: string;

  multiValued!: boolean;

  /** @example 'The login' */
  description!: string;

  required!: boolean;

  caseExact!: boolean;

  /** @example 'readWrite' */
  mutability!: string;

  /** @example 'default' */
  returned!: string;

  /** @example 'server' */
  uniqueness!: string;

  /** @example ['User'] */
  referenceTypes?: string[];

  /** @example [] */
  subAttributes?: object[];
}

/** A schema, RFC 7643, 7. */
export class ScimSchema {
  /** @example ['urn:ietf:params:scim:schemas:core:2.0:Schema'] */
  schemas!: string[];

  /** @example 'urn:ietf:params:scim:schemas:core:2.0:User' */
  id!: string;

  /** @example 'User' */
  name!: string;

  /** @example 'A person or service that owns tokens' */
  description!: string;

  attributes!: ScimAttribute[];

  meta!: ScimMeta;
}

export class ScimSchemaList extends ScimList {
  Resources!: ScimSchema[];
}
