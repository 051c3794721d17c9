import { ArrayMaxSize, IsArray, IsBoolean, IsEmail, IsIn, IsOptional } from 'class-validator';
import { encodeObjectId } from '../../accounts/object-id.js';
import { type Permission, type Role, ROLES, type User as Account } from '../../accounts/user.entity.js';
import { PERMISSIONS } from '../../accounts/user.entity.js';
import { ArrayUnique } from '../../http/validation/array-unique.js';
import {
  Flag,
  IsLogin,
  IsPassword,
  IsPrintable,
  IsText,
  Optional,
  Trimmed,
} from '../../http/validation/fields.js';
import { ListQuery } from '../../native/list.dto.js';
import { PlaceReference } from '../place.dto.js';

const REFERENCE = 100;

/** The body that makes a user. */
export class CreateUser {
  /**
   * 1 to 100 ASCII letters, digits and `._@+-`; unique, case-insensitively.
   * @example 'ada'
   */
  @IsLogin()
  login!: string;

  /**
   * 8 to 72 bytes. Null or omitted: the user cannot log in by password.
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

  /**
   * Default: `member`.
   * @example 'member'
   */
  @Optional()
  @IsIn(ROLES)
  role?: Role;

  /**
   * Fine-grained permissions in addition to the role, named as in Foreman.
   * @example ['view_users']
   */
  @Optional()
  @IsArray()
  @ArrayUnique()
  @IsIn(PERMISSIONS, { each: true })
  permissions?: Permission[];

  /**
   * Name or uuid. Default: `Default`, or the organization of an organization administrator who calls.
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
   * 8 to 72 bytes; null removes the password.
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

  /** @example 'member' */
  @Optional()
  @IsIn(ROLES)
  role?: Role;

  /**
   * Replaces the whole list.
   * @example ['view_users']
   */
  @Optional()
  @IsArray()
  @ArrayUnique()
  @IsIn(PERMISSIONS, { each: true })
  permissions?: Permission[];

  /**
   * Name or uuid. The user's tokens move with the user.
   * @example 'Default'
   */
  @Optional()
  @IsText(REFERENCE)
  organization?: string;

  /**
   * Names or uuids; replaces the whole list.
   * @example ['Oslo']
   */
  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsPrintable(REFERENCE, { each: true })
  locations?: string[];

  /** If true, the user's password and tokens stop working at once. */
  @Optional()
  @IsBoolean()
  disabled?: boolean;
}

/** The query of the list of users. */
export class ListUsersQuery extends ListQuery {
  /** Part of login, name or email, case-insensitive. */
  @Optional()
  @IsText(255)
  q?: string;

  /** Name or uuid. */
  @Optional()
  @IsText(REFERENCE)
  organization?: string;

  /** True: those alone whose password and tokens do not work; false: all others. */
  @Optional()
  @Flag()
  @IsBoolean()
  disabled?: boolean;
}

export class User {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  id: string;

  /** The id in APIs with numeric ids. */
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

  /** @example 'member' */
  role: Role;

  /** @example ['view_users'] */
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
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(users: Account[], nextCursor: string | undefined) {
    this.items = users.map((user) => new User(user));
    this.nextCursor = nextCursor ?? null;
  }
}
