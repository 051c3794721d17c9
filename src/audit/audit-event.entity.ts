import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

export type AuditAction =
  | 'token.create'
  | 'token.import'
  | 'token.update'
  | 'token.rotate'
  | 'token.revoke'
  | 'token.refuse'
  | 'token.reveal'
  | 'token.reuse'
  | 'token.replay'
  | 'token.leak'
  | 'token.exchange'
  | 'token.export'
  | 'jwt.issue'
  | 'user.create'
  | 'user.update'
  | 'user.delete'
  | 'identity.link'
  | 'group.create'
  | 'group.update'
  | 'group.delete'
  | 'organization.create'
  | 'location.create'
  | 'policy.update'
  | 'policy.refuse'
  | 'revocation.preview'
  | 'revocation.start'
  | 'job.start'
  | 'job.end'
  | 'job.cancel'
  | 'audit.prune'
  | 'access.refuse'
  | 'login.success'
  | 'session.create'
  | 'session.end'
  | 'noticeChannel.create'
  | 'noticeChannel.update'
  | 'noticeChannel.delete'
  | 'noticeChannel.disable'
  | 'noticeChannel.rotateSecret'
  | 'noticeChannel.test'
  | 'notice.redeliver'
  | 'audit.export'
  | 'login.fail'
  | 'login.block';

/** A change, written in its transaction, or an attempt or disclosure. Holds no secret and no digest. */
@Entity('audit_events')
@Index('audit_events_time', ['time', 'id'])
@Index('audit_events_actor', ['actorId', 'time', 'id'])
@Index('audit_events_object', ['objectId', 'time', 'id'])
@Index('audit_events_ordinal', ['ordinal'])
@Index('audit_events_action', ['action', 'time', 'id'])
@Index('audit_events_alias', ['alias', 'time', 'id'], { where: 'alias IS NOT NULL' })
@Index('audit_events_address', ['address', 'time', 'id'])
@Index('audit_events_request', ['requestId'])
export class AuditEvent {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'audit_events_pkey' })
  id!: string;

  @Column('timestamp with time zone', { precision: 3 })
  time!: Date;

  @Column('text')
  actorType!: 'user' | 'token' | 'system';

  /** A user's uuid, a token id, or null for the system and for strangers. */
  @Column('text', { nullable: true })
  actorId!: string | null;

  @Column('text')
  action!: AuditAction;

  /** The action in the words of the dialect it came through, where that has a name for it. */
  @Column('text', { nullable: true })
  alias!: string | null;

  @Column('text')
  objectType!: string;

  @Column('text', { nullable: true })
  objectId!: string | null;

  @Column('jsonb', { nullable: true })
  before!: Record<string, unknown> | null;

  @Column('jsonb', { nullable: true })
  after!: Record<string, unknown> | null;

  @Column('text', { nullable: true })
  address!: string | null;

  @Column('text', { nullable: true })
  userAgent!: string | null;

  @Column('text', { nullable: true })
  requestId!: string | null;

  /** The place in the order in which seals take events; null for those that were there before seals. */
  @Column({
    type: 'bigint',
    nullable: true,
    select: false,
    insert: false,
    default: () => "nextval('audit_ordinals')",
  })
  ordinal?: string | null;

  /**
   * A message authentication code of all the rest, but the ordinal, under a key that the database does not hold: what has
   * none was written past the server. Null for what an older version wrote.
   */
  @Column('bytea', { nullable: true, select: false })
  mac?: Buffer | null;
}
