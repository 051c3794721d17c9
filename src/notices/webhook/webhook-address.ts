import { Inject, Injectable } from '@nestjs/common';
import { isIP } from 'node:net';
import { CONFIG, type Config } from '../../config.js';
import { isReachable } from '../../network/public-addresses.js';
import { withoutSecrets } from '../../secrets.js';

const MAX_CHARACTERS = 2_000;

/** Says where webhooks may go. */
@Injectable()
export class WebhookAddresses {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /**
   * The address in its normal form.
   *
   * @throws {Error} for one that no notice is sent to; the message names no part of it.
   */
  checked(text: string): string {
    const url = text.length <= MAX_CHARACTERS && URL.canParse(text) ? new URL(text) : undefined;
    const schemes = this.config.webhookAllowsHttp ? ['https:', 'http:'] : ['https:'];
    if (!url || !schemes.includes(url.protocol)) {
      const names = schemes.map((scheme) => scheme.slice(0, -1)).join(' or ');
      throw new Error(`must be an ${names} address of at most ${MAX_CHARACTERS} characters`);
    }
    if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password');
    if (withoutSecrets(url.href) !== url.href) throw new Error('must not hold a token');
    const host = hostOf(url);
    if (isIP(host) !== 0 && !this.allows(host))
      throw new Error('must not be of a private or reserved network');
    url.hash = '';
    return url.href;
  }

  /** Whether a webhook may be sent to an IP address. */
  allows(address: string): boolean {
    return isReachable(address, this.config.webhookPrivateNetworks);
  }
}

/** The host as a name or an IP address, which in a URL may stand in brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
