import type { Session as SessionRow } from '../../auth/sessions/session.entity.js';
import { IsText } from '../../http/validation/fields.js';

/** More than any login or password has. */
const CHARACTERS = 100;

/** The body that begins a session. */
export class CreateSession {
  /** @example 'ada' */
  @IsText(CHARACTERS)
  login!: string;

  /**
   * The password; a token is none.
   * @example 'correct horse battery'
   */
  @IsText(CHARACTERS)
  password!: string;
}

/** A sign-in of a browser. */
export class Session {
  /** @example '7f0c8a52-5b0e-4a3c-9d0f-0b3c7c1e2a44' */
  id: string;

  /**
   * Who vouched for the user; null: the user signed in by password.
   * @example 'corporate'
   */
  provider: string | null;

  createdAt: Date;

  /** Up to a minute behind. */
  lastUsedAt: Date;

  /** When it ends, however much it is used; it ends earlier where it is not used for an hour. */
  expiresAt: Date;

  /**
   * Where the user signed in from.
   * @example '203.0.113.7'
   */
  address: string | null;

  /** @example 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' */
  userAgent: string | null;

  /** Whether the call was made by it. */
  isCurrent: boolean;

  constructor(row: SessionRow, currentId: string | undefined) {
    this.id = row.id;
    this.provider = row.provider;
    this.createdAt = row.createdAt;
    this.lastUsedAt = row.lastUsedAt;
    this.expiresAt = row.expiresAt;
    this.address = row.address;
    this.userAgent = row.userAgent;
    this.isCurrent = row.id === currentId;
  }
}

/** One page of sessions, newest first. */
export class SessionPage {
  items: Session[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(rows: SessionRow[], nextCursor: string | undefined, currentId: string | undefined) {
    this.items = rows.map((row) => new Session(row, currentId));
    this.nextCursor = nextCursor ?? null;
  }
}
