import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Principal } from './principal.js';
import { callerOf } from './request-state.js';

/** What a route asks of its caller: nothing at all, or a credential that covers one of the scopes, if any are named. */
export interface Need {
  isPublic: boolean;
  scopes: readonly string[];
  /** Whose scope rules apply: a dialect's name. */
  dialect?: string;
  /** Callers for whom the scopes do not count, such as a token that asks about itself. */
  exempts?: Exemption;
}

export type Exemption = (request: FastifyRequest, principal: Principal) => boolean;

export const NEED = Symbol('need');

/** The route needs a valid credential that covers one of these scopes of a dialect; with none named, any valid one. */
export function Needs(dialect: string, ...scopes: string[]): MethodDecorator {
  return NeedsUnless(() => false, dialect, ...scopes);
}

/** As {@link Needs}, but a caller whom `exempts` names needs no scope. */
export function NeedsUnless(exempts: Exemption, dialect: string, ...scopes: string[]): MethodDecorator {
  const need: Need = { isPublic: false, scopes, dialect, exempts };
  return applyDecorators(SetMetadata(NEED, need), ApiExtension('x-required-scopes', scopes));
}

/** The route answers anybody. */
export function Public(): MethodDecorator {
  const need: Need = { isPublic: true, scopes: [] };
  return SetMetadata(NEED, need);
}

/** A handler's parameter: who is calling. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
