import { randomBytes } from 'node:crypto';

/** Standard Webhooks asks for 24 to 64 random bytes. */
const BYTES = 32;

/** A new secret of a webhook, as receivers are given it. */
export function makeWebhookSecret(): string {
  return `whsec_${randomBytes(BYTES).toString('base64')}`;
}

/** What a secret is sealed for. */
export function bindingOf(channelId: string): string {
  return `notice channel ${channelId}`;
}
