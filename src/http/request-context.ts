import type { IncomingMessage } from 'node:http';
import type { Actor } from '../audit/audit.writer.js';
import type { DialectRegistry } from '../protocol/dialect-registry.js';
import type { PathOwner, WithRaw } from '../protocol/dialect.js';
import type { Origin } from '../protocol/origin.js';
import type { Refusal } from '../refusal.js';
import { clientAddress } from './client-address.js';

/** What the server provides to every request. */
export interface Surroundings {
  registry: DialectRegistry;
  trustedProxies: readonly string[];
}

/** What the server knows of a request in addition to Fastify; computed on first use. */
export class RequestContext {
  /** The bytes of the body, or why they were not kept. Undefined: there was none. */
  rawBody: Buffer | Refusal | undefined;
  /** Who calls, from the moment that is known. */
  caller: { readonly actor: Actor } | undefined;
  private knownOwner: PathOwner | undefined;
  private knownOrigin: Origin | undefined;

  constructor(
    private readonly request: WithRaw & { url: string; id: string },
    private readonly surroundings: Surroundings,
  ) {}

  /** Who owns the path. */
  get owner(): PathOwner {
    return (this.knownOwner ??= this.surroundings.registry.ownerOf(pathOf(this.request)));
  }

  get origin(): Origin {
    const { request, surroundings } = this;
    return (this.knownOrigin ??= originOf(request.raw, request.id, surroundings.trustedProxies));
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before anything else sees the request. */
    patois: RequestContext;
  }
}

/** Where a request came from. */
export function originOf(raw: IncomingMessage, requestId: string, trustedProxies: readonly string[]): Origin {
  return {
    address: clientAddress({ raw }, trustedProxies),
    userAgent: raw.headers['user-agent'],
    requestId,
  };
}

/**
 * The path of a request, without its query, and without a fragment, which the router does not take for path
 * either.
 */
export function pathOf({ url }: { url: string }): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}
