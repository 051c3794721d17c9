import {
  Column,
  Entity,
  Generated,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { NoticeChannel } from './notice-channel.entity.js';
import type { NoticeEvent, TEST_EVENT } from './notice.js';

/** `delivered` and `failed` are ends. */
export const DELIVERY_STATUSES = ['waiting', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One notice on its way to one receiver: the outbox, and afterwards the record of what became of it. */
@Entity('notice_deliveries')
@Index('notice_deliveries_once', ['queueId', 'tokenId', 'event', 'occasion'], { unique: true })
@Index('notice_deliveries_channel', ['channelId', 'queuedAt', 'id'])
@Index('notice_deliveries_queued', ['queuedAt', 'id'])
@Index('notice_deliveries_waiting', { synchronize: false })
@Index('notice_deliveries_oldest', { synchronize: false })
@Index('notice_deliveries_to_owners', { synchronize: false })
export class NoticeDelivery {
  /** Also what receivers know the notice by (`webhook-id`): sent again it is the same. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'notice_deliveries_pkey' })
  id!: string;

  /** The order within a queue. */
  @Column('bigint')
  @Generated('increment')
  sequence!: string;

  /** The channel, or the user whose token it is about. */
  @Column('uuid')
  queueId!: string;

  /** Null: for the owner of the token. */
  @Column('uuid', { nullable: true })
  channelId!: string | null;

  @ManyToOne(() => NoticeChannel, { nullable: true, onDelete: 'CASCADE' })
  @JoinColumn({ name: 'channel_id', foreignKeyConstraintName: 'notice_deliveries_channel_fkey' })
  channel!: Relation<NoticeChannel> | null;

  @Column('text')
  event!: NoticeEvent | typeof TEST_EVENT;

  /** The public id of the token that it is about. */
  @Column('text', { nullable: true })
  tokenId!: string | null;

  /** See {@link TokenNotice}. */
  @Column('text', { nullable: true })
  occasion!: string | null;

  /** What is told. */
  @Column('jsonb')
  data!: Record<string, unknown>;

  @Column('text')
  status!: DeliveryStatus;

  /** How often it was sent, or tried to be. */
  @Column('integer')
  attempts!: number;

  @Column('timestamp with time zone', { precision: 3 })
  occurredAt!: Date;

  /** From when on its time to be delivered in counts, by the database's clock. */
  @Column('timestamp with time zone', { precision: 3 })
  queuedAt!: Date;

  /** From when on any replica may send it, by the database's clock: while one does, the end of its lease. */
  @Column('timestamp with time zone')
  dueAt!: Date;

  /** Of the replica that sends it just now. */
  @Column('uuid', { nullable: true })
  leaseOwner!: string | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  attemptedAt!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  endedAt!: Date | null;

  /** What a webhook's receiver answered last. */
  @Column('integer', { nullable: true })
  responseStatus!: number | null;

  /** Why the last attempt failed. */
  @Column('text', { nullable: true })
  error!: string | null;
}
