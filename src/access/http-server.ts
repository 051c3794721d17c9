import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config.js';
import { Refusal } from '../tokens/refusal.js';
import { collectBody } from './body.js';
import { refusalOfCrossSite } from './cross-site.js';
import type { DialectRegistry } from './dialect.js';
import { pathOf, RequestState, wordRefusal } from './request-state.js';
import type { RouteTable } from './route-table.js';

/** Ids that a client makes up may be long; beyond this Fastify itself answers 414. */
const LONGEST_PARAMETER = 8192;
const MAX_HEADERS_TIME_MS = 10_000;
/** How often connections are looked at that may have taken too long. */
const MAX_CHECK_INTERVAL_MS = 1_000;
/** Longer than a load balancer keeps its idle connections (60 s is usual): it, not this server, is to end them. */
const KEEP_ALIVE_MS = 72_000;
/** How long a client that was refused has to read why, and to end its side of the connection. */
const LINGER_MS = 1_000;
/** RFC 9110, type and subtype; what follows them is not looked at. */
const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;

/** RFC 9112, 3.2.2: the target as a proxy sends it, which the router takes as well. */
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;
/**
 * Letters, digits and `-._~` mean the same encoded (RFC 3986, 2.3). Nothing else is decoded here: `%2F` is no slash, and
 * `%2561` is not `a`.
 */
const ENCODED_UNRESERVED = /%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE])/gi;

/** Fastify under Nest, so set up that whatever it would answer by itself comes out in the words of the path's owner. */
export function createHttpAdapter(
  config: Config,
  registry: DialectRegistry,
  routes: RouteTable,
): FastifyAdapter {
  const requestTimeoutMs = Math.ceil(config.requestTimeoutSeconds * 1000);
  const surroundings = { registry, trustedProxies: config.trustedProxies };
  const adapter = new FastifyAdapter({
    skipMiddie: true,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      headersTimeout: Math.min(MAX_HEADERS_TIME_MS, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, requestTimeoutMs),
    },
    genReqId: () => randomUUID(),
    rewriteUrl: ({ url = '/' }) => canonicalUrl(url, registry),
    forceCloseConnections: 'idle',
    clientErrorHandler: (problem, socket) => answerClientError(problem, socket, registry),
    frameworkErrors: (_problem: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      request.patois = new RequestState(request, surroundings);
      const refusal = new Refusal('notFound', { reason: 'route', message: 'No such resource' });
      const { status, headers, body } = wordRefusal(refusal, request);
      void reply.status(status).headers(headersOfAll(request)).headers(headers).send(body);
    },
    routerOptions: {
      maxParamLength: LONGEST_PARAMETER,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
    },
  });
  const server: FastifyInstance = adapter.getInstance();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    request.patois.rawBody = await collectBody(payload);
  });
  server.addHook('onRoute', ({ url, method }) => routes.add(url, method));
  server.addHook('onRequest', (request, reply, done) => {
    request.patois = new RequestState(request, surroundings);
    replaceMalformedType(request);
    reply.headers(headersOfAll(request));
    const refusal = refusalOfCrossSite(request.raw, config);
    if (!refusal) return done();
    const { status, headers, body } = wordRefusal(refusal, request);
    void reply.status(status).headers(headers).send(body);
  });
  return adapter;
}

/** Answers show secrets and who holds what: no cache keeps them, and no browser takes them for a page. */
function headersOfAll({ id }: FastifyRequest): Record<string, string> {
  return { 'x-request-id': id, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}

/**
 * Fastify would refuse a malformed content type by itself, before anybody asks who is calling. RFC 9110 lets it count as
 * `application/octet-stream`, which is refused when its turn comes; a blank one is none.
 */
function replaceMalformedType({ headers }: FastifyRequest): void {
  const type = headers['content-type'];
  if (type === undefined || MEDIA_TYPE.test(type)) return;
  if (type.trim() === '') delete headers['content-type'];
  else headers['content-type'] = 'application/octet-stream';
}

/** The URL that owner and route are both found by: were they found by different spellings, one API would answer for another. */
function canonicalUrl(written: string, registry: DialectRegistry): string {
  const url = written.replace(ABSOLUTE_FORM, '').replace(/^(?=[?#]|$)/, '/');
  const encoded = pathOf({ url });
  const path = encoded.replace(ENCODED_UNRESERVED, decodeURIComponent);
  const canonical = registry.ownerOf(path).canonicalPath?.(path) ?? path;
  return canonical + url.slice(encoded.length);
}

/** A request that Node's parser could not read, or that did not come whole in time: Fastify has none to answer. */
function answerClientError(problem: ConnectionError, socket: Socket, registry: DialectRegistry): void {
  if (problem.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [, target = '/'] = /^[A-Z]+ ([^ ]+)/.exec(firstBytes(problem)) ?? [];
  const { url: written = target, method = 'GET', headers = {} } = socket.patoisAwaited ?? {};
  const refusal = refusalOfClientError(problem);
  const url = canonicalUrl(written, registry);
  const request = { url, headers, id: randomUUID(), method } as FastifyRequest;
  request.patois = new RequestState(request, { registry, trustedProxies: [] });
  const answer = wordRefusal(refusal, request);
  const body = JSON.stringify(answer.body);
  const mediaType = answer.headers['content-type'] ?? 'application/json';
  const status = refusal.reason === undefined ? 400 : answer.status;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${mediaType}; charset=utf-8\r\n` +
      `x-request-id: ${request.id}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // A client that never ends its side would else keep the connection.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function refusalOfClientError({ code }: ConnectionError): Refusal {
  switch (code as string) {
    case 'HPE_HEADER_OVERFLOW':
      return new Refusal('invalid', { reason: 'headers', message: 'The headers are too large' });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Refusal('invalid', { reason: 'tooSlow', message: 'The request did not arrive in time' });
    default:
      return new Refusal('invalid', { message: 'The request cannot be read' });
  }
}

/** Fastify's types describe the packet as it looks in JSON; it is a Buffer. */
function firstBytes(problem: ConnectionError): string {
  const packet: unknown = problem.rawPacket;
  return Buffer.isBuffer(packet) ? packet.toString('latin1', 0, 4096) : '';
}
