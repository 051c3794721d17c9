import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Organization } from './organization.entity.js';
import { User } from './user.entity.js';

/**
 * A group of users of one organization, as an identity provider keeps it. Names are unique in the organization without
 * regard to case.
 */
@Entity('groups')
@Index('groups_display_name', { synchronize: false })
@Index('groups_external_id', ['organizationId', 'externalId'], {
  unique: true,
  where: 'external_id IS NOT NULL',
})
@Index('groups_organization', ['organizationId', 'createdAt', 'id'])
export class Group {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'groups_pkey' })
  id!: string;

  @Column('uuid')
  organizationId!: string;

  @ManyToOne(() => Organization, { nullable: false })
  @JoinColumn({ name: 'organization_id', foreignKeyConstraintName: 'groups_organization_fkey' })
  organization!: Relation<Organization>;

  @Column('text')
  displayName!: string;

  /** The provider's own id. */
  @Column('text', { nullable: true })
  externalId!: string | null;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  @Column('timestamp with time zone', { precision: 3 })
  updatedAt!: Date;
}

/** That a user is in a group; gone once the user is deleted or in another organization. */
@Entity('group_members')
@Index('group_members_user', ['userId', 'groupId'])
export class GroupMember {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'group_members_pkey' })
  groupId!: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'group_members_pkey' })
  userId!: string;

  @ManyToOne(() => Group, { nullable: false, onDelete: 'CASCADE' })
  @JoinColumn({ name: 'group_id', foreignKeyConstraintName: 'group_members_group_fkey' })
  group!: Relation<Group>;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'group_members_user_fkey' })
  user!: Relation<User>;
}
