export const MEDIA_TYPE = 'application/scim+json';

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE_SCHEMA = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error';
export const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const CONFIG_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
export const RESOURCE_TYPE_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType';
export const SCHEMA_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema';

/** An attribute as RFC 7643, 7, describes one. */
export interface AttributeDefinition {
  name: string;
  type: 'string' | 'boolean' | 'complex' | 'reference' | 'binary';
  multiValued: boolean;
  description: string;
  required: boolean;
  caseExact: boolean;
  mutability: 'readWrite' | 'readOnly' | 'immutable';
  returned: 'always' | 'default';
  uniqueness: 'none' | 'server';
  referenceTypes?: string[];
  subAttributes?: AttributeDefinition[];
}

/** A schema that resources have. */
export interface SchemaDefinition {
  id: string;
  name: string;
  description: string;
  attributes: AttributeDefinition[];
}

/** What a resource is made of. */
export interface ResourceType {
  name: 'User' | 'Group';
  endpoint: '/Users' | '/Groups';
  description: string;
  core: SchemaDefinition;
  extensions: SchemaDefinition[];
}

function attribute(
  name: string,
  description: string,
  further: Partial<AttributeDefinition> = {},
): AttributeDefinition {
  return {
    name,
    type: 'string',
    multiValued: false,
    description,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...further,
  };
}

function complex(
  name: string,
  description: string,
  subAttributes: AttributeDefinition[],
  further: Partial<AttributeDefinition> = {},
): AttributeDefinition {
  return attribute(name, description, { type: 'complex', subAttributes, ...further });
}

/** A list of values with a type each, one of which may be the primary one. */
function plural(name: string, description: string, valueType: AttributeDefinition['type'] = 'string') {
  const subAttributes = [
    attribute('value', 'The value.', { type: valueType }),
    attribute('display', 'A name to be shown.'),
    attribute('type', 'What kind it is, such as work or home.'),
    attribute('primary', 'Whether it is the preferred one.', { type: 'boolean' }),
  ];
  return complex(name, description, subAttributes, { multiValued: true });
}

const USER: SchemaDefinition = {
  id: USER_SCHEMA,
  name: 'User',
  description: 'A person or service that owns tokens',
  attributes: [
    attribute('userName', 'The login: 1 to 100 ASCII letters, digits and ._@+-', {
      required: true,
      uniqueness: 'server',
    }),
    complex('name', 'The parts of the name.', [
      attribute('formatted', 'The whole name.'),
      attribute('familyName', 'The family name.'),
      attribute('givenName', 'The given name.'),
      attribute('middleName', 'The middle names.'),
      attribute('honorificPrefix', 'Such as Dr.'),
      attribute('honorificSuffix', 'Such as III.'),
    ]),
    attribute('displayName', 'The name that is shown.'),
    attribute('nickName', 'What friends say.'),
    attribute('profileUrl', 'A page about the user.', { type: 'reference', referenceTypes: ['external'] }),
    attribute('title', 'The title, such as Vice President.'),
    attribute('userType', 'How the user belongs to the organization.'),
    attribute('preferredLanguage', 'The preferred language.'),
    attribute('locale', 'The locale.'),
    attribute('timezone', 'The time zone.'),
    attribute('active', 'False: no password and no token of the user works.', { type: 'boolean' }),
    plural('emails', 'E-mail addresses; the primary one, else that of type work, else the first is used.'),
    plural('phoneNumbers', 'Phone numbers.'),
    plural('ims', 'Addresses of instant messaging.'),
    plural('photos', 'Pictures.', 'reference'),
    complex(
      'addresses',
      'Postal addresses.',
      [
        attribute('formatted', 'The whole address.'),
        attribute('streetAddress', 'Street and number.'),
        attribute('locality', 'The city.'),
        attribute('region', 'The state or region.'),
        attribute('postalCode', 'The postal code.'),
        attribute('country', 'The country.'),
        attribute('type', 'What kind it is, such as work or home.'),
        attribute('primary', 'Whether it is the preferred one.', { type: 'boolean' }),
      ],
      { multiValued: true },
    ),
    complex(
      'groups',
      'The groups that the user is in, 100 at most.',
      [
        attribute('value', 'The id of the group.', { mutability: 'readOnly', caseExact: true }),
        attribute('$ref', 'The address of the group.', {
          type: 'reference',
          referenceTypes: ['Group'],
          mutability: 'readOnly',
        }),
        attribute('display', 'The name of the group.', { mutability: 'readOnly' }),
        attribute('type', 'Always direct.', { mutability: 'readOnly' }),
      ],
      { multiValued: true, mutability: 'readOnly' },
    ),
    plural('entitlements', 'Kept, and without effect here.'),
    plural('roles', 'Kept, and without effect here: a group can stand for a role.'),
    plural('x509Certificates', 'Kept, and without effect here.', 'binary'),
  ],
};

const ENTERPRISE: SchemaDefinition = {
  id: ENTERPRISE_SCHEMA,
  name: 'EnterpriseUser',
  description: 'What an enterprise knows of a user: kept, and without effect here',
  attributes: [
    attribute('employeeNumber', 'The number of the employee.'),
    attribute('costCenter', 'The cost center.'),
    attribute('organization', 'The organization.'),
    attribute('division', 'The division.'),
    attribute('department', 'The department.'),
    complex('manager', "The user's manager.", [
      attribute('value', 'The id of the manager.', { caseExact: true }),
      attribute('$ref', 'The address of the manager.', { type: 'reference', referenceTypes: ['User'] }),
      attribute('displayName', "The manager's name."),
    ]),
  ],
};

const GROUP: SchemaDefinition = {
  id: GROUP_SCHEMA,
  name: 'Group',
  description: 'A group of users of the organization',
  attributes: [
    attribute('displayName', 'The name: unique in the organization.', {
      required: true,
      uniqueness: 'server',
    }),
    complex(
      'members',
      'The users in the group.',
      [
        attribute('value', 'The id of the user.', { mutability: 'immutable', caseExact: true }),
        attribute('$ref', 'The address of the user.', {
          type: 'reference',
          referenceTypes: ['User'],
          mutability: 'immutable',
        }),
        attribute('display', 'The name of the user.', { mutability: 'readOnly' }),
        attribute('type', 'Always User.', { mutability: 'immutable' }),
      ],
      { multiValued: true },
    ),
  ],
};

export const USER_TYPE: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  description: 'Users of the organization',
  core: USER,
  extensions: [ENTERPRISE],
};

export const GROUP_TYPE: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  description: 'Groups of the organization',
  core: GROUP,
  extensions: [],
};

export const RESOURCE_TYPES: readonly ResourceType[] = [USER_TYPE, GROUP_TYPE];
export const SCHEMAS: readonly SchemaDefinition[] = [USER, GROUP, ENTERPRISE];
