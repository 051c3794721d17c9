import { connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of the bytes of a connection. */
export type Fate = 'passed' | 'swallowed' | { delayedMs: number };

interface Pair {
  client: Socket;
  server: Socket;
  /** The `application_name` that the client gave PostgreSQL. */
  application: string;
}

/** Stands between Patois and PostgreSQL, and does to their connections what networks do. */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private fateOf: (application: string, chunk: Buffer) => Fate = () => 'passed';

  private constructor(
    private readonly listener: Server,
    private readonly target: URL,
  ) {}

  static async before(url: string): Promise<TcpProxy> {
    const target = new URL(url);
    const proxy: TcpProxy = new TcpProxy(
      createServer((socket) => proxy.accept(socket)),
      target,
    );
    await new Promise<void>((resolve) => proxy.listener.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The address of the database through this proxy. */
  get url(): string {
    const address = this.listener.address();
    const url = new URL(this.target);
    url.port = String(typeof address === 'object' && address ? address.port : 0);
    return url.href;
  }

  /** From now on: what becomes of what a connection sends, and gets, by its application's name and the bytes. */
  decide(fateOf: (application: string, chunk: Buffer) => Fate): void {
    this.fateOf = fateOf;
  }

  /** Breaks the connections of these applications, with a goodbye to both sides. */
  cut(isMeant: (application: string) => boolean): void {
    for (const { client, server, application } of this.pairs) {
      if (!isMeant(application)) continue;
      client.destroy();
      server.destroy();
    }
  }

  count(isMeant: (application: string) => boolean): number {
    return [...this.pairs].filter(({ application }) => isMeant(application)).length;
  }

  async close(): Promise<void> {
    this.cut(() => true);
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private accept(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    const pair: Pair = { client, server, application: '' };
    this.pairs.add(pair);
    const end = (): void => {
      this.pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.on('data', (chunk: Buffer) => {
      pair.application ||= /application_name\0([^\0]*)\0/.exec(chunk.toString('latin1'))?.[1] ?? '';
      this.pass(chunk, pair, server);
    });
    server.on('data', (chunk: Buffer) => this.pass(chunk, pair, client));
  }

  private pass(chunk: Buffer, { application }: Pair, to: Socket): void {
    const fate = this.fateOf(application, chunk);
    if (fate === 'swallowed' || to.destroyed) return;
    if (fate === 'passed') to.write(chunk);
    else setTimeout(() => !to.destroyed && to.write(chunk), fate.delayedMs);
  }
}
