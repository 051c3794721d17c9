import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Config } from '../config.js';
import { FastPaths, type FastPathWrapper } from './fast-paths.js';

const MAX_HEADERS_TIME_MS = 10_000;
/** How often connections are checked for having exceeded a time-out. */
const MAX_CHECK_INTERVAL_MS = 1_000;
/**
 * Longer than load balancers keep idle connections (usually 60 s): they, not this server, should close them.
 */
const KEEP_ALIVE_MS = 72_000;

type ClientErrorListener = (error: Error, socket: Socket) => void;

/** The HTTP servers of one Patois, one per address, all with the same handlers and time-outs. */
export class HttpServers {
  readonly fastPaths: FastPaths;
  private readonly servers: Server[] = [];
  private framework: RequestListener | undefined;
  private draining = false;
  private onClientError: ClientErrorListener = (_, socket) => socket.destroy();

  /** @param around makes of each handler of a fast path what is called in its place. */
  constructor(
    private readonly config: Pick<Config, 'requestTimeoutSeconds'>,
    around?: FastPathWrapper,
  ) {
    this.fastPaths = new FastPaths(around);
  }

  /** Opens the server that the framework listens with; the framework answers what no fast path does. */
  openFirst(framework: RequestListener): Server {
    this.framework = framework;
    // The framework gives the server its own listener of client errors.
    return this.open(framework);
  }

  /** Sets what answers unreadable requests on the servers that the framework does not know of. */
  answerClientErrors(listener: ClientErrorListener): void {
    this.onClientError = listener;
  }

  /**
   * Listens on a further address, at the port of the first server.
   *
   * @throws when that address cannot be listened on.
   */
  async listenAlso(address: string): Promise<void> {
    const [first] = this.servers;
    if (!first || !this.framework) throw new Error('The first server is not open yet');
    const { port } = first.address() as AddressInfo;
    const server = this.open(this.framework);
    server.on('clientError', this.onClientError);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, address, resolve);
      });
    } catch (error) {
      this.servers.splice(this.servers.indexOf(server), 1);
      throw error;
    }
  }

  /** Whether the end has begun: who chooses among servers is to choose another. */
  get isDraining(): boolean {
    return this.draining;
  }

  /** From now on each answer ends its connection, so that the client's next request goes to another server. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (const server of this.servers) server.prependListener('request', endConnection);
  }

  /** Stops accepting connections on the further addresses; the framework closes the first server. */
  async closeFurther(): Promise<void> {
    await Promise.all(
      this.servers.slice(1).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }

  closeIdleConnections(): void {
    for (const server of this.servers) server.closeIdleConnections();
  }

  closeAllConnections(): void {
    for (const server of this.servers) server.closeAllConnections();
  }

  private open(framework: RequestListener): Server {
    const requestTimeoutMs = Math.ceil(this.config.requestTimeoutSeconds * 1000);
    const server = createServer(
      {
        requestTimeout: requestTimeoutMs,
        headersTimeout: Math.min(MAX_HEADERS_TIME_MS, requestTimeoutMs),
        connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, requestTimeoutMs),
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      this.fastPaths.before(framework),
    );
    this.servers.push(server);
    return server;
  }
}

/** Node then says `Connection: close`, and closes it behind the answer. */
function endConnection(_request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
}
