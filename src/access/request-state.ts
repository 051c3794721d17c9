import type { FastifyRequest } from 'fastify';
import { Refusal } from '../tokens/refusal.js';
import { clientAddress } from './client-address.js';
import type { Answer, DialectRegistry, PathOwner } from './dialect.js';
import type { Origin, Principal } from './principal.js';

/** What the server as a whole brings to every request. */
export interface Surroundings {
  registry: DialectRegistry;
  trustedProxies: readonly string[];
}

/** What the server knows of a request beside what Fastify knows, worked out when it is asked for. */
export class RequestState {
  /** The bytes of the body, or why they were not kept. Undefined: there was none. */
  rawBody: Buffer | Refusal | undefined;
  principal?: Principal;
  private knownOwner: PathOwner | undefined;
  private knownOrigin: Origin | undefined;

  constructor(
    private readonly request: FastifyRequest,
    private readonly surroundings: Surroundings,
  ) {}

  /** Who owns the path. */
  get owner(): PathOwner {
    return (this.knownOwner ??= this.surroundings.registry.ownerOf(pathOf(this.request)));
  }

  get origin(): Origin {
    const { request, surroundings } = this;
    return (this.knownOrigin ??= {
      address: clientAddress(request, surroundings.trustedProxies),
      userAgent: request.headers['user-agent'],
      requestId: request.id,
    });
  }
}

/** The path of a request, without its query, and without a fragment, which the router does not take for path either. */
export function pathOf({ url }: { url: string }): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
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
  return withCommonHeaders(request.patois.owner.answer(refusal, request), refusal);
}

/** Adds to an owner's words what HTTP wants beside them. */
export function withCommonHeaders(
  { status, headers = {}, body }: Answer,
  refusal: Refusal,
): Required<Answer> {
  const common: Record<string, string> = {};
  if (status === 401) common['www-authenticate'] = 'Basic realm="Patois", charset="UTF-8"';
  if (status === 405) common['allow'] = refusal.allow.join(', ');
  // Foreman answers too many tries with a 401: what the refusal is counts, not how its status reads.
  if (refusal.kind === 'tooMany' || refusal.kind === 'unavailable')
    common['retry-after'] = String(refusal.retryAfterSeconds ?? 1);
  return { status, headers: { ...common, ...headers }, body };
}
