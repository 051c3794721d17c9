import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Reached } from './pooler.js';

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

  private readonly listeners: Server[] = [];

  private constructor(
    /** The addresses of the database through this proxy. */
    readonly reached: Reached,
  ) {}

  /** Before the database itself, or before all ways that an application has to it. */
  static async before(target: string | Reached): Promise<TcpProxy> {
    const { url, listenUrl } = typeof target === 'string' ? { url: target, listenUrl: undefined } : target;
    const reached: Reached = { url, listenUrl };
    const proxy = new TcpProxy(reached);
    reached.url = await proxy.listenBefore(url);
    if (listenUrl !== undefined) reached.listenUrl = await proxy.listenBefore(listenUrl);
    return proxy;
  }

  get url(): string {
    return this.reached.url;
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
    await Promise.all(this.listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  }

  /** @returns the address through it. */
  private async listenBefore(target: string): Promise<string> {
    const url = new URL(target);
    const { port, hostname } = url;
    const listener = createServer((socket) => this.accept(socket, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    this.listeners.push(listener);
    const address = listener.address();
    url.port = String(typeof address === 'object' && address ? address.port : 0);
    return url.href;
  }

  private accept(client: Socket, server: Socket): void {
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
