import { ArrayMaxSize, IsArray, IsBoolean, IsEmail, IsIn, IsOptional } from 'class-validator';
import { ArrayUnique } from '../access/array-unique.js';
import type { Principal } from '../access/principal.js';
import type { Location } from '../accounts/location.entity.js';
import { encodeObjectId } from '../accounts/object-id.js';
import type { Organization } from '../accounts/organization.entity.js';
import {
  type Permission,
  PERMISSIONS,
  type Role,
  ROLES,
  type User as Account,
} from '../accounts/user.entity.js';
import { Flag, IsLogin, IsPassword, IsPrintable, IsText, Optional, Trimmed } from './fields.js';
import { ListQuery } from './list.dto.js';

const NAME = 100;
const REFERENCE = 100;
/** More than any password has. */
const PASSWORD = 100;

/** The body that makes an organization or a location. */
export class CreatePlace {
  /**
   * 1 to 100 printable characters, unique without regard to case.
   * @example 'Research'
   */
  @Trimmed()
  @IsPrintable(NAME)
  name!: string;
}

/** The body that makes a user. */
export class CreateUser {
  /**
   * 1 to 100 ASCII letters, digits and `._@+-`, unique without regard to case.
   * @example 'ada'
   */
  @IsLogin()
  login!: string;

  /**
   * 8 to 72 bytes; left out or null: no login by password.
   * @example 'correct horse battery'
   */
  @IsOptional()
  @IsPassword()
  password?: string | null;

  /** @example 'ada@example.org' */
  @IsOptional()
  @IsEmail()
  email?: string | null;

  /** @example 'Ada Lovelace' */
  @IsOptional()
  @Trimmed()
  @IsPrintable(255)
  name?: string | null;

  /** Member, unless given. */
  @Optional()
  @IsIn(ROLES)
  role?: Role;

  /** Fine permissions beside the role, in Foreman's words. */
  @Optional()
  @IsArray()
  @ArrayUnique()
  @IsIn(PERMISSIONS, { each: true })
  permissions?: Permission[];

  /**
   * Name or uuid. `Default`, unless given; an organization administrator's own.
   * @example 'Default'
   */
  @Optional()
  @IsText(REFERENCE)
  organization?: string;

  /**
   * Names or uuids.
   * @example ['Oslo']
   */
  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsPrintable(REFERENCE, { each: true })
  locations?: string[];
}

/** The body that changes a user; keys left out stay as they are. */
export class UpdateUser {
  /**
   * 8 to 72 bytes; null: no login by password any more.
   * @example 'correct horse battery'
   */
  @IsOptional()
  @IsPassword()
  password?: string | null;

  @IsOptional()
  @IsEmail()
  email?: string | null;

  /** @example 'Ada Lovelace' */
  @IsOptional()
  @Trimmed()
  @IsPrintable(255)
  name?: string | null;

  @Optional()
  @IsIn(ROLES)
  role?: Role;

  /** Replaces them all. */
  @Optional()
  @IsArray()
  @ArrayUnique()
  @IsIn(PERMISSIONS, { each: true })
  permissions?: Permission[];

  /**
   * Name or uuid. The user's tokens go along.
   * @example 'Default'
   */
  @Optional()
  @IsText(REFERENCE)
  organization?: string;

  /**
   * Names or uuids; replaces them all.
   * @example ['Oslo']
   */
  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsPrintable(REFERENCE, { each: true })
  locations?: string[];

  /** A disabled user cannot log in, and the user's tokens do not work, at once. */
  @Optional()
  @IsBoolean()
  disabled?: boolean;
}

/** The query of the list of users. */
export class ListUsersQuery extends ListQuery {
  /** A part of login, name or email, without regard to case. */
  @Optional()
  @IsText(255)
  q?: string;

  /** Name or uuid. */
  @Optional()
  @IsText(REFERENCE)
  organization?: string;

  @Optional()
  @Flag()
  @IsBoolean()
  disabled?: boolean;
}

/** An organization or a location. */
export class Place {
  /** @example '7b0e4f0a-2c2f-4e9e-8f0e-0a8a7e0c2f11' */
  id: string;

  /** @example 2 */
  numericId: number;

  /** @example 'Research' */
  name: string;

  createdAt: Date;

  constructor({ id, numericId, name, createdAt }: Organization | Location) {
    this.id = id;
    this.numericId = numericId;
    this.name = name;
    this.createdAt = createdAt;
  }
}

/** An organization or location, where something else names it. */
export class PlaceReference {
  /** @example '7b0e4f0a-2c2f-4e9e-8f0e-0a8a7e0c2f11' */
  id: string;

  /** @example 'Default' */
  name: string;

  constructor({ id, name }: Organization | Location) {
    this.id = id;
    this.name = name;
  }
}

/** One page of organizations or locations, newest first. */
export class PlacePage {
  items: Place[];

  /**
   * The cursor of the next page; null on the last.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(places: (Organization | Location)[], nextCursor: string | undefined) {
    this.items = places.map((place) => new Place(place));
    this.nextCursor = nextCursor ?? null;
  }
}

export class User {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  id: string;

  /** The id in APIs whose ids are numbers. */
  numericId: number;

  /**
   * The id in Losant's API.
   * @example '6b0229783f0e2a365d9e4b0e'
   */
  losantId: string;

  /** @example 'ada' */
  login: string;

  /** @example 'Ada Lovelace' */
  name: string | null;

  /** @example 'ada@example.org' */
  email: string | null;

  role: Role;

  permissions: Permission[];

  organization: PlaceReference;

  locations: PlaceReference[];

  disabled: boolean;

  createdAt: Date;

  updatedAt: Date;

  constructor(user: Account) {
    this.id = user.id;
    this.numericId = user.numericId;
    this.losantId = encodeObjectId(user.createdAt, user.id);
    this.login = user.login;
    this.name = user.name;
    this.email = user.email;
    this.role = user.role;
    this.permissions = user.permissions;
    this.organization = new PlaceReference(user.organization);
    this.locations = user.locations.map((location) => new PlaceReference(location));
    this.disabled = user.disabled;
    this.createdAt = user.createdAt;
    this.updatedAt = user.updatedAt;
  }
}

/** One page of users, newest first. */
export class UserPage {
  items: User[];

  /**
   * The cursor of the next page; null on the last.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(users: Account[], nextCursor: string | undefined) {
    this.items = users.map((user) => new User(user));
    this.nextCursor = nextCursor ?? null;
  }
}

/** The body that changes the caller's own password. */
export class ChangePassword {
  /**
   * The password as it is.
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

  /** Null for a call by password. */
  token: CallingToken | null;

  constructor(user: Account, token: Principal['token']) {
    this.user = new User(user);
    this.token = token && new CallingToken(token);
  }
}
