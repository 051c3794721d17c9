import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Config } from '../config.js';
import { FastPaths } from './fast-paths.js';

const MAX_HEADERS_TIME_MS = 10_000;
/** How often connections are looked at that may have taken too long. */
const MAX_CHECK_INTERVAL_MS = 1_000;
/** Longer than a load balancer keeps its idle connections (60 s is usual): it, not this server, is to end them. */
const KEEP_ALIVE_MS = 72_000;

type ClientErrorListener = (error: Error, socket: Socket) => void;

/** The servers that one Patois listens by, one an address: all with the same handlers and the same time-outs. */
export class HttpServers {
  readonly fastPaths = new FastPaths();
  private readonly servers: Server[] = [];
  private framework: RequestListener | undefined;
  private onClientError: ClientErrorListener = (_, socket) => socket.destroy();

  constructor(private readonly config: Pick<Config, 'requestTimeoutSeconds'>) {}

  /** The server that the framework listens by, which is to answer what no fast path does. */
  openFirst(framework: RequestListener): Server {
    this.framework = framework;
    // The framework gives the server its own listener of client errors.
    return this.open(framework);
  }

  /** What answers requests that cannot be read, on the servers that the framework does not know of. */
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

  /** Accepts no more connections on the further addresses; the framework closes the first server. */
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
