import {
  Column,
  DeleteDateColumn,
  Entity,
  Generated,
  Index,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { Location } from './location.entity.js';
import { Organization } from './organization.entity.js';

export const ROLES = ['member', 'organizationAdministrator', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

/** The fine permissions that a user can hold beside the role, in Foreman's words. */
export const PERMISSIONS = [
  'view_users',
  'create_users',
  'edit_users',
  'destroy_users',
  'view_personal_access_tokens',
  'create_personal_access_tokens',
  'revoke_personal_access_tokens',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** A person or service that owns tokens. Logins are unique without regard to case. */
@Entity('users')
@Index('users_login', { synchronize: false })
@Index('users_email', { synchronize: false })
@Index('users_external_id', ['organizationId', 'externalId'], {
  unique: true,
  where: 'external_id IS NOT NULL AND deleted_at IS NULL',
})
@Index('users_organization', ['organizationId', 'createdAt', 'id'])
export class User {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'users_pkey' })
  id!: string;

  @Column('integer')
  @Generated('increment')
  numericId!: number;

  @Column('text')
  login!: string;

  @Column('text', { nullable: true })
  name!: string | null;

  @Column('text', { nullable: true })
  email!: string | null;

  @Column('text')
  role!: Role;

  @Column('text', { array: true })
  permissions!: Permission[];

  @Column('uuid')
  organizationId!: string;

  @ManyToOne(() => Organization, { nullable: false })
  @JoinColumn({ name: 'organization_id', foreignKeyConstraintName: 'users_organization_fkey' })
  organization!: Relation<Organization>;

  @ManyToMany(() => Location)
  @JoinTable({
    name: 'user_locations',
    joinColumn: { name: 'user_id', foreignKeyConstraintName: 'user_locations_user_fkey' },
    inverseJoinColumn: { name: 'location_id', foreignKeyConstraintName: 'user_locations_location_fkey' },
  })
  locations!: Relation<Location>[];

  /** A bcrypt hash; null for a user who cannot log in with a password. Never selected unless asked for. */
  @Column('text', { nullable: true, select: false })
  passwordDigest!: string | null;

  /** Counts the changes of the password: what somebody does by an older one is refused. */
  @Column('integer', { default: 0 })
  passwordVersion!: number;

  @Column('boolean')
  disabled!: boolean;

  /** The id that the identity provider of the organization knows the user by. */
  @Column('text', { nullable: true })
  externalId!: string | null;

  /** Whether provisioning has disabled the user, and may enable the user again. */
  @Column('boolean', { default: false })
  deprovisioned!: boolean;

  /** What a SCIM client has set, to be given back as it was. Never selected unless asked for. */
  @Column('jsonb', { nullable: true, select: false })
  scimAttributes?: Record<string, unknown> | null;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  @Column('timestamp with time zone', { precision: 3 })
  updatedAt!: Date;

  /** A deleted user's row stays, without personal data, for the tokens and audit events that name it. */
  @DeleteDateColumn({ type: 'timestamp with time zone', precision: 3, nullable: true })
  deletedAt!: Date | null;
}
