import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** One webhook as it came in. */
export interface ReceivedNotice {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body as JSON: `{type, timestamp, data}`. */
  json: any; // oxlint-disable-line no-explicit-any -- tests look into bodies of every shape
}

/** What a receiver does with a webhook: a status, or something else with the answer. */
export type Reaction = number | ((response: ServerResponse) => void);

/** A receiver of webhooks on a port of its own. */
export class NoticeReceiver {
  readonly received: ReceivedNotice[] = [];
  /** By path; 204 for others. */
  readonly reactions = new Map<string, Reaction>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<NoticeReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const receiver = new NoticeReceiver(server, `http://127.0.0.1:${port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => {});
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const { url: path = '', headers } = request;
        receiver.received.push({ path, headers, body, json: JSON.parse(body) });
        const reaction = receiver.reactions.get(path) ?? 204;
        if (typeof reaction === 'number') response.writeHead(reaction).end();
        else reaction(response);
      });
    });
    return receiver;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** What came in on a path. */
  at(path: string): ReceivedNotice[] {
    return this.received.filter((notice) => notice.path === path);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Checks a webhook as its receiver does; throws where the signature is not the secret's. */
export function verified({ body, headers }: ReceivedNotice, secret: string): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}
