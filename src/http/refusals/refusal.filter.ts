import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';
import { pathOf } from '../request-context.js';
import { RouteTable } from '../route-table.js';
import { refusalOfFault } from './faults.js';
import { RefusedCalls } from './refused-calls.js';
import { renderRefusal } from './render-refusal.js';

/** The one filter: whatever is thrown becomes a refusal, and the owner of the path words it. */
@Catch()
export class RefusalFilter implements ExceptionFilter {
  private readonly logger = new Logger(RefusalFilter.name);

  constructor(
    private readonly routes: RouteTable,
    private readonly refused: RefusedCalls,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const refusal = this.refusalOf(error, request);
    this.refused.record(request, refusal);
    const { status, headers, body } = renderRefusal(refusal, request.patois.owner, request);
    await reply.status(status).headers(headers).send(body);
  }

  private refusalOf(error: unknown, request: FastifyRequest): Refusal {
    const refusal = error instanceof Refusal ? error : this.translate(error, request);
    // A connection that broke, or was given up, is no fault of this server; that it is busy is in the metrics.
    const isFault =
      refusal.kind === 'internal' || (refusal.kind === 'unavailable' && refusal.reason !== 'busy');
    if (isFault && !request.raw.errored) this.log(refusal, request);
    return refusal;
  }

  private translate(error: unknown, request: FastifyRequest): Refusal {
    if (error instanceof HttpException && error.getStatus() === 404) return this.noSuchRoute(request);
    if (error instanceof HttpException && error.getStatus() < 500) {
      return new Refusal('invalid', { message: 'The request cannot be read', cause: error });
    }
    return refusalOfFault(error);
  }

  private noSuchRoute(request: FastifyRequest): Refusal {
    const allow = this.routes.methodsOf(pathOf(request));
    // Another spelling of a path that is served under one alone: the method is not what is wrong.
    const isMethodWrong = allow.length > 0 && !allow.includes(request.method);
    if (!isMethodWrong) return new Refusal('notFound', { reason: 'route', message: 'No such resource' });
    const message = `${request.method} is not allowed here; allowed: ${allow.join(', ')}`;
    return new Refusal('notFound', { reason: 'method', message, allow });
  }

  private log(refusal: Refusal, request: FastifyRequest): void {
    const { cause: error } = refusal;
    // The path may hold what a client should not have put there; the route's pattern cannot.
    const route = `${request.method} ${request.routeOptions.url ?? '(no route)'}`;
    const why = error instanceof Error ? String(error) : refusal.message;
    this.logger.error(withoutSecrets(`${route}: ${refusal.kind}: ${why}`), { requestId: request.id, error });
  }
}
