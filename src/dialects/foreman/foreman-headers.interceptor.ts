import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Observable } from 'rxjs';
import { ForemanDialect } from './foreman.dialect.js';

/** Gives successful answers the headers that refusals get from the dialect. */
@Injectable()
export class ForemanHeaders implements NestInterceptor {
  constructor(private readonly dialect: ForemanDialect) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    context.switchToHttp().getResponse<FastifyReply>().headers(this.dialect.headers());
    return next.handle();
  }
}
