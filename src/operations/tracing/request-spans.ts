import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestSpan, Tracing } from '../../tracing.js';

/** Asked every few seconds, by who watches the server. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Traces every request that the framework answers: by the pattern of its route, for its path may hold anything. The request
 * id, which answers, the log and the audit trail have, is the way from one to the other.
 */
export function traceRequests(server: FastifyInstance, tracing: Tracing): void {
  if (!tracing.isOn) return;
  const spans = new WeakMap<FastifyRequest, RequestSpan>();
  server.addHook('onRequest', (request, _reply, done) => {
    const span = begin(tracing, request);
    if (span) spans.set(request, span);
    done();
  });
  // Not sooner: who waited at the turnstile goes on in the turn of another.
  server.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) span.within(done);
    else done();
  });
  server.addHook('onResponse', (request, { statusCode }, done) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': statusCode });
    span?.end(statusCode >= 500);
    done();
  });
}

function begin(tracing: Tracing, request: FastifyRequest): RequestSpan | undefined {
  const { method, id, headers, patois } = request;
  const { url: route } = request.routeOptions;
  if (route !== undefined && UNTRACED.has(route)) return undefined;
  const attributes = {
    'http.request.method': method,
    ...(route === undefined ? {} : { 'http.route': route }),
    'patois.dialect': patois.owner.name,
    'patois.request_id': id,
  };
  const name = route === undefined ? method : `${method} ${route}`;
  return tracing.request({ name, kind: 'server', attributes }, headers);
}
