import type { NoticeDelivery } from '../notice-delivery.entity.js';

const MAX_NAMED = 50;
const MAX_NAME = 100;

/** A mail in plain words: one line a notice. */
export interface MailText {
  subject: string;
  text: string;
}

interface Told {
  tokenId?: string;
  dialect?: string;
  name?: string;
  expiresAt?: string | null;
  owner?: { login: string };
}

interface Details {
  address?: string | null;
  addresses?: string[];
  reason?: string;
}

/** What a mail says of one or many tokens. */
const SUBJECTS: Record<string, (what: string, isOne: boolean) => string> = {
  'token.expiring': (what, isOne) => `${what} ${isOne ? 'expires' : 'expire'} soon`,
  'token.expired': (what, isOne) => `${what} ${isOne ? 'has' : 'have'} expired`,
  'token.reused': (what) => `A replaced value of ${what} was used`,
  'token.leaked': (what, isOne) => `${what} ${isOne ? 'was' : 'were'} reported as leaked`,
  'token.newAddress': (what, isOne) => `${what} ${isOne ? 'was' : 'were'} used from a new address`,
  'token.revokedByPolicy': (what, isOne) => `${what} ${isOne ? 'was' : 'were'} revoked`,
};

/** The words of a mail about notices of one event. */
export function mailOf(deliveries: readonly NoticeDelivery[], publicUrl: string | undefined): MailText {
  const [first] = deliveries;
  const event = first?.event ?? '';
  const named = deliveries
    .slice(0, MAX_NAMED)
    .map(({ data, occurredAt }) => `- ${lineOf(event, data, occurredAt)}`);
  const more = deliveries.length - named.length;
  const lines = [
    introductionOf(event),
    '',
    ...named,
    ...(more > 0 ? [`and ${more} more`] : []),
    '',
    `-- `,
    `Patois${publicUrl === undefined ? '' : `, ${publicUrl}`}`,
    '',
  ];
  return { subject: subjectOf(event, deliveries), text: lines.join('\n') };
}

function subjectOf(event: string, deliveries: readonly NoticeDelivery[]): string {
  const isOne = deliveries.length === 1;
  const { token, organization } = (deliveries[0]?.data ?? {}) as {
    token?: Told;
    organization?: { name: string };
  };
  if (event === 'channel.test') return 'Patois: a test';
  if (event === 'policy.changed') return `The policy of ${shown(organization?.name)} was changed`;
  const what = isOne ? `The token ${shown(token?.name)}` : `${deliveries.length} tokens`;
  return SUBJECTS[event]?.(what, isOne) ?? event;
}

function introductionOf(event: string): string {
  switch (event) {
    case 'token.expiring':
      return 'These tokens stop working at the time that is named, unless they are rotated or their expiry is moved:';
    case 'token.expired':
      return 'These tokens do not work any more:';
    case 'token.reused':
      return 'A value that a rotation had replaced was presented again. Somebody has kept it, or taken it:';
    case 'token.leaked':
      return 'The values of these tokens were found where everybody can read them:';
    case 'token.newAddress':
      return 'These tokens were used from a network that they had not been used from before:';
    case 'token.revokedByPolicy':
      return 'The policy of the organization has ended these tokens:';
    case 'policy.changed':
      return 'What an organization wants of the tokens of its users was changed:';
    default:
      return 'This is a test: notices arrive here.';
  }
}

function lineOf(event: string, data: Record<string, unknown>, occurredAt: Date): string {
  const { token, organization } = data as { token?: Told; organization?: { name?: string } };
  const at = occurredAt.toISOString();
  if (!token) return `${shown(organization?.name)}, ${at}`;
  const { tokenId, dialect, name, owner, expiresAt } = token;
  const who = owner ? `, of ${owner.login}` : '';
  const what = `${shown(name)} (${tokenId}, ${dialect}${who})`;
  if (event === 'token.expiring' || event === 'token.expired') return `${what}: ${expiresAt}`;
  const { address, addresses = address ? [address] : [], reason } = data as Details;
  return [what, addresses.length > 0 && `from ${shown(addresses.join(', '))}`, reason && shown(reason), at]
    .filter(Boolean)
    .join(', ');
}

/** One line of what people wrote: nothing in it begins a header, or another line. */
function shown(text: string | undefined): string {
  const line = (text ?? '').replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > MAX_NAME ? `${line.slice(0, MAX_NAME).toWellFormed()}…` : line;
}
