import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { RequiredScopes } from '../tokens/authority/authority.js';
import type { Principal } from './principal.js';

/** Callers for whom the scopes do not count, such as a token that asks about itself. */
export type Exemption = (request: FastifyRequest, caller: Principal) => boolean;

/** What a route asks of its caller: nothing at all, or a credential that covers one of the scopes, if any are named. */
export type RouteRequirement =
  { isPublic: true } | { isPublic: false; required: RequiredScopes; exempts?: Exemption };

export const ROUTE_REQUIREMENT = Symbol('route requirement');

/** The route needs a valid credential that covers one of these scopes of a dialect; with none named, any valid one. */
export function RequireScopes(dialect: string, ...scopes: string[]): MethodDecorator {
  return required({ isPublic: false, required: { dialect, scopes } }, scopes);
}

/** As {@link RequireScopes}, but a caller whom `exempts` names needs no scope. */
export function RequireScopesUnless(
  exempts: Exemption,
  dialect: string,
  ...scopes: string[]
): MethodDecorator {
  return required({ isPublic: false, required: { dialect, scopes }, exempts }, scopes);
}

/** The route answers anybody. */
export function Public(): MethodDecorator {
  const requirement: RouteRequirement = { isPublic: true };
  return SetMetadata(ROUTE_REQUIREMENT, requirement);
}

function required(requirement: RouteRequirement, scopes: readonly string[]): MethodDecorator {
  return applyDecorators(
    SetMetadata(ROUTE_REQUIREMENT, requirement),
    ApiExtension('x-required-scopes', scopes),
  );
}
