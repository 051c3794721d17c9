import { Injectable } from '@nestjs/common';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { NameLookup } from './name-lookup.js';
import { hostOf, WebhookAddresses } from './webhook-address.js';

/** What a receiver says of a notice. Its body is not read. */
export interface WebhookAnswer {
  status: number;
  /** What it asks to be waited (ms). */
  retryAfterMs: number | undefined;
}

/** Why nothing was answered, in words that hold nothing of the address. */
export class UnansweredError extends Error {}

/**
 * Posts to addresses that others have chosen. Whether an address is allowed is asked of the very one that is connected to:
 * a name that is another one's by then leads nowhere else. Redirects are answers like any other, and a connection serves
 * once.
 */
@Injectable()
export class WebhookPost {
  constructor(
    private readonly names: NameLookup,
    private readonly addresses: WebhookAddresses,
  ) {}

  /** @throws {UnansweredError} */
  send(
    address: string,
    headers: Record<string, string>,
    body: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<WebhookAnswer> {
    const url = this.urlOf(address);
    const payload = Buffer.from(body);
    return new Promise((resolve, reject) => {
      const request = url.protocol === 'http:' ? requestHttp : requestHttps;
      const options = {
        method: 'POST',
        headers: { ...headers, 'content-length': String(payload.length) },
        agent: false,
        lookup: this.lookup,
        signal,
      };
      const posted = request(url, options, (response) => {
        clearTimeout(timer);
        const { statusCode: status = 0, headers: answered } = response;
        response.on('error', () => {});
        // The status is all that counts: what comes after it may never end.
        posted.destroy();
        resolve({ status, retryAfterMs: retryAfterOf(answered['retry-after']) });
      });
      const timer = setTimeout(() => {
        posted.destroy(new UnansweredError(`No answer within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      posted.on('error', (error) => {
        clearTimeout(timer);
        reject(unansweredBy(error));
      });
      posted.end(payload);
    });
  }

  /** Settings may have changed since the address was taken. */
  private urlOf(address: string): URL {
    try {
      const url = new URL(this.addresses.checked(address));
      // Of a literal address nobody looks up a name.
      if (isIP(hostOf(url)) !== 0 && !this.addresses.allows(hostOf(url))) throw notAllowed();
      return url;
    } catch (error) {
      throw error instanceof UnansweredError
        ? error
        : new UnansweredError(`The address ${(error as Error).message}`);
    }
  }

  /** As node:net calls it, for every name that it connects to. */
  private readonly lookup: LookupFunction = (name, options, callback) => {
    this.names.addressesOf(name).then(
      (found) => {
        const [first] = found;
        // One address that is not allowed among others is no accident.
        if (!first || !found.every(({ address }) => this.addresses.allows(address))) {
          callback(notAllowed(), '');
        } else if (options.all) {
          callback(null, found);
        } else {
          callback(null, first.address, first.family);
        }
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

function notAllowed(): UnansweredError {
  return new UnansweredError('The address is of a private or reserved network');
}

function unansweredBy(error: NodeJS.ErrnoException): UnansweredError {
  if (error instanceof UnansweredError) return error;
  // Messages of Node's name hosts, addresses and more.
  return new UnansweredError(`The connection failed (${error.code ?? error.name})`);
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
