import type { FastifyRequest } from 'fastify';
import { Refusal } from '../tokens/refusal.js';
import type { Answer, PathOwner } from './dialect.js';
import type { Origin, Principal } from './principal.js';

/** What the server knows of a request beside what Fastify knows. */
export interface RequestState {
  owner: PathOwner;
  origin: Origin;
  /** The bytes of the body, or why they were not kept. Undefined: there was none. */
  rawBody?: Buffer | Refusal;
  principal?: Principal;
}

declare module 'fastify' {
  interface FastifyRequest {
    patois: RequestState;
  }
}

/** The caller of a request that has passed the guard. */
export function callerOf(request: FastifyRequest): Principal {
  const { principal } = request.patois;
  if (!principal) throw new Error('This route asks for no credential and so has no caller');
  return principal;
}

/** Words a refusal as the owner of the request's path does, with the headers that every owner's answer has. */
export function wordRefusal(refusal: Refusal, request: FastifyRequest): Required<Answer> {
  const { status, headers = {}, body } = request.patois.owner.answer(refusal, request);
  const common: Record<string, string> = {};
  if (status === 401) common['www-authenticate'] = 'Basic realm="Patois", charset="UTF-8"';
  if (status === 405) common['allow'] = refusal.allow.join(', ');
  if (status === 429) common['retry-after'] = String(refusal.retryAfterSeconds ?? 1);
  return { status, headers: { ...common, ...headers }, body };
}
