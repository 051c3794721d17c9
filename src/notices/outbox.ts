import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { type Place, type StatementRunner, statementOf, Values } from '../database/statements.js';
import { withoutSecrets } from '../secrets.js';
import type { Notice, NoticeEvent } from './notice.js';

/** What another statement writes along: common table expressions, and the values of their places. */
export interface OutboxRider {
  name: 'notices';
  expressions: (place: Place) => string;
  values: readonly unknown[];
}

/**
 * Takes down what is to be told, in the transaction of what it tells of: it is told if, and only if, that commits. A row
 * is written for each channel that wants it, and for the owner of a token; where nobody wants it, nothing.
 */
@Injectable()
export class Outbox {
  /** Whether owners are told by mail. */
  readonly mailsOwners: boolean;
  private wanted: ReadonlySet<string> = new Set();

  constructor(@Inject(CONFIG) { smtpUrl, mailsOwners }: Config) {
    this.mailsOwners = smtpUrl !== undefined && mailsOwners;
  }

  /** Takes notices down by a statement of their own; none needs none. */
  async write(runner: StatementRunner, notices: readonly Notice[]): Promise<void> {
    if (notices.length === 0) return;
    const { place } = new Values();
    const { expressions, values } = this.rider(notices);
    await runner.run(statementOf('notices', `WITH ${expressions(place)} SELECT 1`), values);
  }

  /** Takes notices down along with another statement. */
  rider(notices: readonly Notice[]): OutboxRider {
    const rows = notices.map(rowOf);
    return { name: 'notices', expressions, values: [withoutSecrets(JSON.stringify(rows)), this.mailsOwners] };
  }

  /** Whether anybody is to be told of an event about tokens, as of this moment. */
  async isWanted(runner: StatementRunner, event: NoticeEvent): Promise<boolean> {
    if (this.mailsOwners) return true;
    const text = `SELECT EXISTS (SELECT FROM notice_channels WHERE enabled AND $1 = ANY (events)) AS wanted`;
    const [row] = await runner.run<{ wanted: boolean }>(statementOf('notices', text), [event]);
    return row?.wanted === true;
  }

  /** Whether anybody was to be told of an event about tokens some seconds ago: asks nobody. */
  wasWanted(event: NoticeEvent): boolean {
    return this.mailsOwners || this.wanted.has(event);
  }

  /** Keeps what some channel wants, for {@link wasWanted}. */
  noteWanted(events: readonly string[]): void {
    this.wanted = new Set(events);
  }
}

function rowOf(notice: Notice): Record<string, unknown> {
  if (!('token' in notice)) {
    const { event, organizationId, details } = notice;
    return { event, organization_id: organizationId, data: details };
  }
  const { event, token, details, occasion } = notice;
  const { tokenId, dialect, name, expiresAt, ownerId, organizationId } = token;
  return {
    event,
    organization_id: organizationId,
    owner_id: ownerId,
    token_id: tokenId,
    occasion,
    data: { token: { tokenId, dialect, name, expiresAt }, ...details },
  };
}

/** Names of owners and organizations are read here: who writes a notice has their uuids alone. */
function expressions(place: Place): string {
  const [notices, mailsOwners] = [place(undefined), place(undefined)];
  return `notices AS MATERIALIZED (SELECT * FROM ROWS FROM (json_to_recordset(${notices}::json)
      AS (event text, organization_id uuid, owner_id uuid, token_id text, occasion text, data jsonb))
      WITH ORDINALITY AS n (event, organization_id, owner_id, token_id, occasion, data, place)),
    recipients AS MATERIALIZED (
      SELECT c.id AS queue_id, c.id AS channel_id, n.* FROM notices n JOIN notice_channels c
        ON c.enabled AND n.event = ANY (c.events)
          AND (c.organization_id IS NULL OR c.organization_id = n.organization_id)
      UNION ALL
      SELECT u.id, NULL, n.* FROM notices n JOIN users u ON u.id = n.owner_id
        WHERE ${mailsOwners}::boolean AND u.email IS NOT NULL AND u.deleted_at IS NULL AND NOT u.disabled),
    noticed AS (
      INSERT INTO notice_deliveries (id, queue_id, channel_id, event, token_id, occasion, data, status, attempts,
        occurred_at, queued_at, due_at)
      SELECT gen_random_uuid(), r.queue_id, r.channel_id, r.event, r.token_id, r.occasion,
        (CASE WHEN u.id IS NULL THEN r.data
          ELSE jsonb_set(r.data, '{token,owner}', jsonb_build_object('id', u.id, 'login', u.login)) END)
          || jsonb_build_object('organization', jsonb_build_object('id', o.id, 'name', o.name)),
        'waiting', 0, clock_timestamp(), clock_timestamp(), clock_timestamp()
      FROM recipients r LEFT JOIN users u ON u.id = r.owner_id
        LEFT JOIN organizations o ON o.id = r.organization_id
      ORDER BY r.place
      ON CONFLICT (queue_id, token_id, event, occasion) DO NOTHING)`;
}
