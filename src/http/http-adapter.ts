import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type RequestListener, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config.js';
import type { DialectRegistry } from '../protocol/dialect-registry.js';
import type { RefusedRequest } from '../protocol/dialect.js';
import { Refusal } from '../refusal.js';
import { collectBody, requestAwaitedOn } from './body/collect-body.js';
import { refusalOfCrossSite } from './cross-site.js';
import type { HttpServers } from './http-servers.js';
import { renderRefusal } from './refusals/render-refusal.js';
import { pathOf, RequestContext } from './request-context.js';
import type { RouteTable } from './route-table.js';
import { turnstile } from '../turnstile.js';

/** Ids that a client makes up may be long; beyond this Fastify itself answers 414. */
const MAX_PARAMETER_LENGTH = 8192;
/** How long a refused client has to read the answer and close its side of the connection. */
const LINGER_MS = 1_000;
/** RFC 9110, type and subtype; what follows them is not looked at. */
const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;

/** RFC 9112, 3.2.2: the target as a proxy sends it, which the router takes as well. */
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;
/**
 * Letters, digits and `-._~` mean the same encoded (RFC 3986, 2.3). Nothing else is decoded here: `%2F` is no
 * slash, and `%2561` is not `a`.
 */
const ENCODED_UNRESERVED = /%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE])/gi;

/**
 * The Fastify adapter for Nest, set up so that what Fastify would answer itself is rendered by the path's
 * owner.
 */
export function createHttpAdapter(
  config: Config,
  registry: DialectRegistry,
  routes: RouteTable,
  servers: HttpServers,
): FastifyAdapter {
  const onClientError = (error: ConnectionError, socket: Socket): void =>
    answerClientError(error, socket, registry);
  servers.answerClientErrors(onClientError as (error: Error, socket: Socket) => void);
  const surroundings = { registry, trustedProxies: config.trustedProxies };
  const adapter = new FastifyAdapter({
    skipMiddie: true,
    serverFactory: (framework: RequestListener) => servers.openFirst(framework),
    genReqId: () => randomUUID(),
    rewriteUrl: ({ url = '/' }) => canonicalUrl(url, registry),
    forceCloseConnections: 'idle',
    // What still arrives over a connection that is open is served; Fastify would refuse it in words of its own.
    return503OnClosing: false,
    clientErrorHandler: onClientError,
    frameworkErrors: (_error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      request.patois = new RequestContext(request, surroundings);
      reply.headers(headersOfAll(request));
      refuse(new Refusal('notFound', { reason: 'route', message: 'No such resource' }), request, reply);
    },
    routerOptions: {
      maxParamLength: MAX_PARAMETER_LENGTH,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
    },
  });
  const server: FastifyInstance = adapter.getInstance();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    request.patois.rawBody = await collectBody(payload);
  });
  server.decorateRequest('patois');
  server.addHook('onRoute', ({ url, method }) => routes.add(url, method));
  server.addHook('onRequest', (request, reply, done) => {
    request.patois = new RequestContext(request, surroundings);
    replaceMalformedType(request);
    reply.headers(headersOfAll(request));
    const refusal = refusalOfCrossSite(request.raw, config);
    if (refusal) refuse(refusal, request, reply);
    else done();
  });
  // To read, check and carry out a change takes long beside a verification; to send off a read does not.
  server.addHook('preValidation', ({ method }, _reply, done) => {
    if (method === 'GET' || method === 'HEAD') done();
    else turnstile.pass(done);
  });
  return adapter;
}

/** Answers a refusal as the path's owner renders it. */
function refuse(refusal: Refusal, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = renderRefusal(refusal, request.patois.owner, request);
  void reply.status(status).headers(headers).send(body);
}

/** Answers may hold secrets: no cache may store them, and no browser may guess another content type. */
function headersOfAll({ id }: FastifyRequest): Record<string, string> {
  return { 'x-request-id': id, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}

/**
 * Fastify would refuse a malformed content type by itself, before anybody asks who is calling. RFC 9110 lets
 * it count as `application/octet-stream`, which is refused when its turn comes; a blank one is none.
 */
function replaceMalformedType({ headers }: FastifyRequest): void {
  const type = headers['content-type'];
  if (type === undefined || MEDIA_TYPE.test(type)) return;
  if (type.trim() === '') delete headers['content-type'];
  else headers['content-type'] = 'application/octet-stream';
}

/**
 * The one spelling of a URL by which both owner and route are found; otherwise one API could answer for
 * another.
 */
function canonicalUrl(written: string, registry: DialectRegistry): string {
  const url = written.startsWith('/')
    ? written
    : written.replace(ABSOLUTE_FORM, '').replace(/^(?=[?#]|$)/, '/');
  const encoded = pathOf({ url });
  const path = encoded.includes('%') ? encoded.replace(ENCODED_UNRESERVED, decodeURIComponent) : encoded;
  const canonical = registry.ownerOf(path).canonicalPath?.(path) ?? path;
  return canonical + url.slice(encoded.length);
}

/**
 * Answers a request that Node's parser could not read, or that did not arrive in time: Fastify never sees it.
 */
function answerClientError(error: ConnectionError, socket: Socket, registry: DialectRegistry): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [, target = '/'] = /^[A-Z]+ ([^ ]+)/.exec(firstBytes(error)) ?? [];
  const { url: written = target, method = 'GET', headers = {} } = requestAwaitedOn(socket) ?? {};
  const refusal = refusalOfClientError(error);
  const url = canonicalUrl(written, registry);
  const request: RefusedRequest = { url, headers, id: randomUUID(), method, protocol: 'http' };
  const answer = renderRefusal(refusal, registry.ownerOf(pathOf({ url })), request);
  const body = JSON.stringify(answer.body);
  const mediaType = answer.headers['content-type'] ?? 'application/json';
  const status = refusal.reason === undefined ? 400 : answer.status;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${mediaType}; charset=utf-8\r\n` +
      `x-request-id: ${request.id}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // A client that never closes its side would otherwise keep the connection open.
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
function firstBytes(error: ConnectionError): string {
  const packet: unknown = error.rawPacket;
  return Buffer.isBuffer(packet) ? packet.toString('latin1', 0, 4096) : '';
}
