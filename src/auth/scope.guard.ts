import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type BodySource, readBody } from '../http/body/read-body.js';
import { headerLines } from '../http/header-lines.js';
import { assertFewParameters } from '../http/too-complex.js';
import { Refusal } from '../refusal.js';
import { IdempotentCall, readIdempotencyKey } from '../tokens/idempotency/idempotent-call.js';
import { Authorizer } from './authorizer.js';
import { IDEMPOTENT } from './idempotent.decorator.js';
import { ROUTE_REQUIREMENT, type RouteRequirement } from './require-scopes.decorator.js';

const IDEMPOTENCY_KEY = 'idempotency-key';
const NO_BODY = Buffer.alloc(0);

/** Stands before every route: credential, scope, then the body, in the order that the path's owner keeps. */
@Injectable()
export class ScopeGuard implements CanActivate {
  /** By handler: what a route requires never changes. */
  private readonly requirements = new Map<ReturnType<ExecutionContext['getHandler']>, RouteRequirement>();

  constructor(
    private readonly reflector: Reflector,
    private readonly authorizer: Authorizer,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const route = this.requirementOf(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { owner, origin } = request.patois;
    const body = outcomeOf(() => {
      assertFewParameters(request.url);
      return readBody(bodySourceOf(request));
    });
    if (body.refusal && owner.refusesBodyFirst?.(body.refusal)) throw body.refusal;
    if (!route.isPublic) {
      const { required, exempts } = route;
      const call = this.isRepeatable(context, request)
        ? outcomeOf(() => idempotentCallOf(request, context.switchToHttp().getResponse()))
        : undefined;
      const caller = await this.authorizer.authorize(
        { credentials: owner.readCredentials(request), origin, idempotentCall: call?.value },
        required,
        (one) => {
          // Also where the scope is what is missing: who it was is known.
          request.patois.caller = one;
          return exempts?.(request, one) ?? false;
        },
      );
      request.patois.caller = caller;
      if (call?.refusal) throw call.refusal;
      caller.idempotentCall = call?.value;
      request.user = caller;
    }
    if (body.refusal) throw body.refusal;
    request.body = body.value;
    return true;
  }

  private isRepeatable(context: ExecutionContext, { headers }: FastifyRequest): boolean {
    if (headers[IDEMPOTENCY_KEY] === undefined) return false;
    return this.reflector.get<boolean | undefined>(IDEMPOTENT, context.getHandler()) === true;
  }

  /** @throws for a route without `@RequireScopes` or `@Public`: nothing is open by oversight. */
  private requirementOf(context: ExecutionContext): RouteRequirement {
    const handler = context.getHandler();
    const known = this.requirements.get(handler);
    if (known) return known;
    const route = this.reflector.get<RouteRequirement | undefined>(ROUTE_REQUIREMENT, handler);
    if (!route) throw new Error(`${context.getClass().name}.${handler.name} does not say what it requires`);
    this.requirements.set(handler, route);
    return route;
  }
}

function bodySourceOf({ method, headers, patois: { owner, rawBody } }: FastifyRequest): BodySource {
  return { method, contentType: headers['content-type'], owner, rawBody };
}

/** @throws {Refusal} invalid for a key of another form. */
function idempotentCallOf(request: FastifyRequest, reply: FastifyReply): IdempotentCall {
  const { method, url, patois } = request;
  const key = readIdempotencyKey(headerLines(request, IDEMPOTENCY_KEY));
  const body = patois.rawBody instanceof Buffer ? patois.rawBody : NO_BODY;
  return new IdempotentCall(key, `${method} ${url}`, body, () => {
    reply.header('Idempotency-Replayed', 'true');
  });
}

function outcomeOf<Value>(read: () => Value): { value?: Value; refusal?: Refusal } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error };
    throw error;
  }
}
