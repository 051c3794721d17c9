/** What can be told, in the words of the API. */
export const NOTICE_EVENTS = [
  'token.expiring',
  'token.expired',
  'token.reused',
  'token.leaked',
  'token.newAddress',
  'token.revokedByPolicy',
  'policy.changed',
] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/** What is sent on request, to see whether it arrives; no channel asks for it. */
export const TEST_EVENT = 'channel.test';

/** As much of a token as a notice tells; nothing of it is secret. */
export interface NoticedToken {
  tokenId: string;
  dialect: string;
  name: string;
  ownerId: string;
  organizationId: string;
  expiresAt: Date | null;
}

/** Something that happened to a token: its owner is told as well. */
export interface TokenNotice {
  event: Exclude<NoticeEvent, 'policy.changed'>;
  token: NoticedToken;
  /** What else is told, beside the token. */
  details?: Record<string, unknown>;
  /** Of notices of one event and token with the same occasion everybody gets one; without it, each. */
  occasion?: string;
}

/** Something that happened to an organization. */
export interface OrganizationNotice {
  event: 'policy.changed';
  organizationId: string;
  details: Record<string, unknown>;
}

export type Notice = TokenNotice | OrganizationNotice;
