import type { IncomingMessage } from 'node:http';
import type { Config } from '../../config.js';
import type { FastPathAnswer, FastPathWrapper } from '../../http/fast-paths.js';
import { andThen } from '../../maybe-promise.js';
import type { Tracing } from '../../tracing.js';

/** W3C Trace Context, 3.2.2.5.1: the last bit of the flags. */
const SAMPLED = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f][13579bdf](-|$)/;

/**
 * Traces what fast paths answer, as far as the operator asks for it: it is thousands of answers a second. Undefined where
 * nothing is traced, so that it costs nothing.
 */
export function fastPathTracer(
  tracing: Tracing,
  { tracedVerifications }: Pick<Config, 'tracedVerifications'>,
): FastPathWrapper | undefined {
  if (!tracing.isOn || tracedVerifications === 'none') return undefined;
  const isTraced = tracedVerifications === 'all' ? () => true : isSampled;
  return (route, handler) => (request) => {
    if (!isTraced(request)) return handler(request);
    const { method = '', headers } = request;
    const attributes = { 'http.request.method': method, 'http.route': route };
    const span = tracing.request({ name: `${method} ${route}`, kind: 'server', attributes }, headers);
    const answered = (answer: FastPathAnswer): FastPathAnswer => {
      span.set({ 'http.response.status_code': answer.status });
      span.end(answer.status >= 500);
      return answer;
    };
    // The handler renders its own failures.
    return span.within(() => andThen(handler(request), answered));
  };
}

function isSampled({ headers }: IncomingMessage): boolean {
  const { traceparent } = headers;
  return typeof traceparent === 'string' && SAMPLED.test(traceparent);
}
