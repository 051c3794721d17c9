import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { lacksScope } from '../tokens/authority/admission.js';
import { Refusal } from '../tokens/refusal.js';
import { assertFewParameters, type BodySource, readBody } from './body.js';
import { CredentialCheck } from './credential-check.js';
import { NEED, type Need } from './needs.js';
import type { Principal } from './principal.js';

/** Stands before every route: credential, scope, then the body, in the order that the path's owner keeps. */
@Injectable()
export class ScopeGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly credentials: CredentialCheck,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const need = this.reflector.getAllAndOverride<Need | undefined>(NEED, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!need)
      throw new Error(`${context.getClass().name}.${context.getHandler().name} does not say what it needs`);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { owner } = request.patois;
    const body = outcomeOf(() => {
      assertFewParameters(request.url);
      return readBody(bodySourceOf(request));
    });
    if (body.refusal && owner.refusesBodyFirst?.(body.refusal)) throw body.refusal;
    if (!need.isPublic) {
      request.patois.principal = await this.credentials.check(request);
      this.assertCovered(request, request.patois.principal, need);
    }
    if (body.refusal) throw body.refusal;
    request.body = body.value;
    return true;
  }

  private assertCovered(request: FastifyRequest, principal: Principal, need: Need): void {
    const { scopes, dialect = '', exempts } = need;
    if (scopes.length === 0 || exempts?.(request, principal)) return;
    principal.need = { dialect, scopes };
    if (!principal.covers(dialect, scopes)) throw lacksScope(scopes);
  }
}

function bodySourceOf({ method, headers, patois: { owner, rawBody } }: FastifyRequest): BodySource {
  return { method, contentType: headers['content-type'], owner, rawBody };
}

function outcomeOf(read: () => unknown): { value?: unknown; refusal?: Refusal } {
  try {
    return { value: read() };
  } catch (problem) {
    if (problem instanceof Refusal) return { refusal: problem };
    throw problem;
  }
}
