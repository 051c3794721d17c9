import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsOptional,
  Max,
  Min,
} from 'class-validator';
import { ArrayUnique } from '../../http/validation/array-unique.js';
import { IsText, Optional } from '../../http/validation/fields.js';
import { ListQuery } from '../../native/list.dto.js';
import {
  CHANNEL_KINDS,
  type ChannelKind,
  type NoticeChannel as ChannelRow,
} from '../../notices/notice-channel.entity.js';
import {
  DELIVERY_STATUSES,
  type DeliveryStatus,
  type NoticeDelivery as DeliveryRow,
} from '../../notices/notice-delivery.entity.js';
import { NOTICE_EVENTS, type NoticeEvent } from '../../notices/notice.js';
import { PlaceReference } from '../place.dto.js';

const URL_CHARACTERS = 2_000;
const REFERENCE = 100;
const DAY = 86_400;
const WEEK = 7 * DAY;

/** The body that makes a channel. */
export class CreateNoticeChannel {
  /** @example 'webhook' */
  @IsIn(CHANNEL_KINDS)
  kind!: ChannelKind;

  /**
   * Of a webhook: the `https` address that notices are posted to; not of a private network, without user name and
   * password.
   * @example 'https://hooks.example.com/patois'
   */
  @Optional()
  @IsText(URL_CHARACTERS)
  url?: string;

  /**
   * Of a mail channel: the address of the mailbox.
   * @example 'security@example.com'
   */
  @Optional()
  @IsEmail()
  to?: string;

  /**
   * What it is told of.
   * @example ['token.expiring', 'token.reused']
   */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsIn(NOTICE_EVENTS, { each: true })
  events!: NoticeEvent[];

  /**
   * Name or uuid of the organization whose tokens and policy it is told of; null: of all. Default: the organization of an
   * organization administrator who calls; null for administrators of everything.
   * @example 'Default'
   */
  @IsOptional()
  @IsText(REFERENCE)
  organization?: string | null;
}

/** The body that changes a channel; keys left out stay as they are. */
export class UpdateNoticeChannel {
  /** @example 'https://hooks.example.com/patois' */
  @Optional()
  @IsText(URL_CHARACTERS)
  url?: string;

  /** @example 'security@example.com' */
  @Optional()
  @IsEmail()
  to?: string;

  /**
   * Replaces the whole list.
   * @example ['token.expiring', 'token.reused']
   */
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsIn(NOTICE_EVENTS, { each: true })
  events?: NoticeEvent[];

  /**
   * Whether notices go to it. What waits for a channel that is disabled is given up.
   * @example true
   */
  @Optional()
  @IsBoolean()
  enabled?: boolean;
}

/** The body that gives a webhook a new secret. */
export class RotateNoticeSecret {
  /**
   * For how long, in seconds, notices are signed with the old secret as well; 0: not at all.
   * @example 86400
   */
  @Optional()
  @IsInt()
  @Min(0)
  @Max(WEEK)
  graceSeconds: number = DAY;
}

/** The query of the list of deliveries; all that is given must hold. */
export class ListDeliveriesQuery extends ListQuery {
  /** What has become of the deliveries; `failed`: given up. */
  @Optional()
  @IsIn(DELIVERY_STATUSES)
  status?: DeliveryStatus;
}

/** Where notices go to, and which. */
export class NoticeChannel {
  /** @example '5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21' */
  id: string;

  /** @example 'webhook' */
  kind: ChannelKind;

  /**
   * Of a webhook; else null.
   * @example 'https://hooks.example.com/patois'
   */
  url: string | null;

  /**
   * Of a mail channel; else null.
   * @example 'security@example.com'
   */
  to: string | null;

  /** @example ['token.expiring', 'token.reused'] */
  events: NoticeEvent[];

  /** Null: it is told of all organizations. */
  organization: PlaceReference | null;

  /** @example true */
  enabled: boolean;

  /**
   * Why the server has disabled it; null where it has not.
   * @example 'The receiver answered 410 Gone'
   */
  disabledReason: string | null;

  /**
   * How many attempts to send have failed since the last that succeeded.
   * @example 0
   */
  failures: number;

  /** Until when notices are signed with the secret before the last rotation as well; null: they are not. */
  previousSecretUntil: Date | null;

  createdAt: Date;

  updatedAt: Date;

  constructor(row: ChannelRow) {
    const { previousSecretUntil: until } = row;
    this.id = row.id;
    this.kind = row.kind;
    this.url = row.kind === 'webhook' ? row.target : null;
    this.to = row.kind === 'mail' ? row.target : null;
    this.events = row.events;
    this.organization = row.organization ? new PlaceReference(row.organization) : null;
    this.enabled = row.enabled;
    this.disabledReason = row.disabledReason;
    this.failures = row.failures;
    this.previousSecretUntil = until !== null && until > new Date() ? until : null;
    this.createdAt = row.createdAt;
    this.updatedAt = row.updatedAt;
  }
}

/** A channel with the secret that signs, which is shown this once. */
export class NoticeChannelWithSecret extends NoticeChannel {
  /**
   * Of a webhook; null for others.
   * @example 'whsec_…'
   */
  secret: string | null;

  constructor(row: ChannelRow, secret: string | undefined) {
    super(row);
    this.secret = secret ?? null;
  }
}

/** One page of channels, newest first. */
export class NoticeChannelPage {
  items: NoticeChannel[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(rows: ChannelRow[], nextCursor: string | undefined) {
    this.items = rows.map((row) => new NoticeChannel(row));
    this.nextCursor = nextCursor ?? null;
  }
}

/** One notice on its way to a channel, and what became of it. */
export class NoticeDelivery {
  /**
   * The `webhook-id` of a webhook. Sent again it is the same.
   * @example '9c0f2c3e-2f4b-4c36-8f0a-6b7d1f2e3a4b'
   */
  id: string;

  /**
   * What it tells of; `channel.test` for a test.
   * @example 'token.expiring'
   */
  event: string;

  /** @example 'delivered' */
  status: DeliveryStatus;

  /** What is told: `data` of the webhook. */
  data: Record<string, unknown>;

  /** When it happened. */
  occurredAt: Date;

  /** From when on its day to be delivered in counts. */
  queuedAt: Date;

  /**
   * How often it was sent, or tried to be.
   * @example 1
   */
  attempts: number;

  attemptedAt: Date | null;

  /** From when on it is sent again, if nothing before it waits; null once it has ended. */
  nextAttemptAt: Date | null;

  endedAt: Date | null;

  /**
   * The status that a webhook's receiver answered last.
   * @example 204
   */
  responseStatus: number | null;

  /**
   * Why the last attempt failed.
   * @example 'Answered 503'
   */
  error: string | null;

  constructor(row: DeliveryRow) {
    this.id = row.id;
    this.event = row.event;
    this.status = row.status;
    this.data = row.data;
    this.occurredAt = row.occurredAt;
    this.queuedAt = row.queuedAt;
    this.attempts = row.attempts;
    this.attemptedAt = row.attemptedAt;
    this.nextAttemptAt = row.status === 'waiting' ? row.dueAt : null;
    this.endedAt = row.endedAt;
    this.responseStatus = row.responseStatus;
    this.error = row.error;
  }
}

/** One page of deliveries, newest first. */
export class NoticeDeliveryPage {
  items: NoticeDelivery[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(rows: DeliveryRow[], nextCursor: string | undefined) {
    this.items = rows.map((row) => new NoticeDelivery(row));
    this.nextCursor = nextCursor ?? null;
  }
}
