import { Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';

/** What a request sends. `body` of another type than text or bytes goes as JSON; the path goes as it is written. */
export interface Sent {
  headers?: Record<string, string | string[]>;
  body?: unknown;
  /** The address to send from, one of this machine's: all of 127.0.0.0/8 are. */
  localAddress?: string;
}

export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body as JSON; fails the test when it is not. */
  json: any; // oxlint-disable-line no-explicit-any -- tests look into bodies of every shape
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** One HTTP request, unlike `fetch` without a will of its own: any method, any path, any body, no redirects. */
export function send(
  url: string,
  method: string,
  path: string,
  { headers = {}, body, localAddress }: Sent = {},
): Promise<Received> {
  const isRaw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const payload = isRaw ? body : JSON.stringify(body);
  const allHeaders: Record<string, string | string[]> = {
    ...(isRaw ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  if (payload !== undefined) allHeaders['content-length'] = String(Buffer.byteLength(payload));
  const { hostname: host, port } = new URL(url);
  // In a URL an IPv6 address stands in brackets.
  const hostname = host.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve, reject) => {
    const options = { agent, hostname, port, method, path, headers: allHeaders, localAddress };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode: status = 0 } = response;
        resolve({
          status,
          headers: response.headers,
          text,
          get json() {
            try {
              return JSON.parse(text) as unknown;
            } catch {
              throw new Error(`${method} ${path} answered ${status} with no JSON: ${text.slice(0, 200)}`);
            }
          },
        });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

export function basic(login: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${login}:${secret}`).toString('base64')}` };
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
