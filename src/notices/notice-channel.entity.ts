import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Organization } from '../accounts/organization.entity.js';
import type { NoticeEvent } from './notice.js';

export const CHANNEL_KINDS = ['webhook', 'mail'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** Where notices go to, and which. */
@Entity('notice_channels')
@Index('notice_channels_created', ['createdAt', 'id'])
export class NoticeChannel {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'notice_channels_pkey' })
  id!: string;

  /** Of whose tokens it is told, and whose administrators may change it; null: of everything. */
  @Column('uuid', { nullable: true })
  organizationId!: string | null;

  @ManyToOne(() => Organization, { nullable: true })
  @JoinColumn({ name: 'organization_id', foreignKeyConstraintName: 'notice_channels_organization_fkey' })
  organization!: Relation<Organization> | null;

  @Column('text')
  kind!: ChannelKind;

  /** The address of a webhook, or of a mailbox. */
  @Column('text')
  target!: string;

  @Column('text', { array: true })
  events!: NoticeEvent[];

  @Column('boolean')
  enabled!: boolean;

  /** Why the server disabled it; null where it did not. */
  @Column('text', { nullable: true })
  disabledReason!: string | null;

  /** Of a webhook: what signs. Sealed, and bound to the channel. */
  @Column('text', { nullable: true, select: false })
  sealedSecret!: string | null;

  /** What signed before the last rotation, and signs along until it ends. */
  @Column('text', { nullable: true, select: false })
  sealedPreviousSecret!: string | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  previousSecretUntil!: Date | null;

  /** How many attempts have failed since the last that did not: what the next wait depends on. */
  @Column('integer')
  failures!: number;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;

  @Column('timestamp with time zone', { precision: 3 })
  updatedAt!: Date;
}

/** What the audit trail keeps of a channel. The path of a webhook may be its key, so only its origin is kept. */
export function auditView({
  kind,
  target,
  events,
  organizationId,
  enabled,
}: NoticeChannel): Record<string, unknown> {
  const where = kind === 'webhook' ? { origin: new URL(target).origin } : { to: target };
  return { kind, ...where, events, organization: organizationId, enabled };
}
