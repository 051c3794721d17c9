import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { type BodySource, readBody } from '../http/body/read-body.js';
import { assertFewParameters } from '../http/too-complex.js';
import { Refusal } from '../refusal.js';
import { Authorizer } from './authorizer.js';
import { ROUTE_REQUIREMENT, type RouteRequirement } from './require-scopes.decorator.js';

/** Stands before every route: credential, scope, then the body, in the order that the path's owner keeps. */
@Injectable()
export class ScopeGuard implements CanActivate {
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
      request.user = await this.authorizer.authorize(
        { credentials: owner.readCredentials(request), origin },
        required,
        exempts && ((caller) => exempts(request, caller)),
      );
    }
    if (body.refusal) throw body.refusal;
    request.body = body.value;
    return true;
  }

  /** @throws for a route without `@RequireScopes` or `@Public`: nothing is open by oversight. */
  private requirementOf(context: ExecutionContext): RouteRequirement {
    const targets = [context.getHandler(), context.getClass()];
    const route = this.reflector.getAllAndOverride<RouteRequirement | undefined>(ROUTE_REQUIREMENT, targets);
    if (route) return route;
    throw new Error(`${context.getClass().name}.${context.getHandler().name} does not say what it requires`);
  }
}

function bodySourceOf({ method, headers, patois: { owner, rawBody } }: FastifyRequest): BodySource {
  return { method, contentType: headers['content-type'], owner, rawBody };
}

function outcomeOf(read: () => unknown): { value?: unknown; refusal?: Refusal } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error };
    throw error;
  }
}
