import type { SecuritySchemeObject } from '@nestjs/swagger';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Refusal } from '../refusal.js';
import type { Token } from '../tokens/token.entity.js';
import type { PresentedCredentials } from './credentials.js';

/** A refusal as an API answers it, ready to be sent. */
export interface RenderedRefusal {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

/** How an API presents itself at the head of its OpenAPI document. */
export interface ApiDescription {
  title: string;
  /** Markdown: what it is for, and what a client must know that no schema says. */
  description: string;
  /** The ways to present a credential, by the name that the document gives each; any one of them will do. */
  credentials: Record<string, SecuritySchemeObject>;
  /** One line for each tag of its operations. */
  tags: Record<string, string>;
  /** Prefixes below each of which all its paths are served; by default none but `/`. */
  servers?: readonly string[];
}

/** Whatever carries Node's request: Fastify's request does, and so can a plain handler's. */
export interface WithRaw {
  readonly raw: IncomingMessage;
}

/** What an owner may read of a request to render a refusal; also there for a request that reached no route. */
export interface RefusedRequest {
  readonly method: string;
  /** The path with its query, as the owner's routes know it. */
  readonly url: string;
  readonly protocol: string;
  readonly headers: IncomingHttpHeaders;
  /** What `X-Request-Id` of the answer says. */
  readonly id: string;
}

/** An owner of paths: reads the credentials of their requests and renders their refusals. */
export interface PathOwner {
  /** Unique among owners; a dialect's is the name its tokens carry. */
  readonly name: string;
  /** Paths that it owns, with all below them. The longest mount wins. */
  readonly mounts: readonly string[];
  /**
   * The path that a path below its mounts is another spelling of, such as one with a version or a file ending; by default
   * each path is its own. Both are given without query.
   */
  canonicalPath?(path: string): string;
  /** What the request presents, in the headers this owner reads. Throws no error: wrong ones are `isMalformed`. */
  readCredentials(request: WithRaw): PresentedCredentials;
  /** Renders a refusal. Called for faults of its own paths only, unknown routes and unparsable bodies included. */
  renderRefusal(refusal: Refusal, request: RefusedRequest): RenderedRefusal;
  /**
   * Whether a POST, PUT or PATCH with this content type (undefined: none was sent) is read. By default JSON is, a body
   * without a content type, and no body under any content type.
   */
  readsMediaType?(mediaType: string | undefined, isEmpty: boolean): boolean;
  /** Whether this refusal of a body comes before anybody asks who is calling; by default none does. */
  refusesBodyFirst?(refusal: Refusal): boolean;
}

/** What the scopes of a dialect mean. */
export interface ScopeRules {
  /** Whether a token of this dialect may hold the scope. */
  isKnown(scope: string): boolean;
  /** Whether a held scope of this dialect lets its bearer do what needs, or hand on, `needed`. */
  covers(held: string, needed: string): boolean;
  /** What a token gets that is made through the own API without scopes; undefined: they must be given. */
  readonly defaults?: readonly string[];
}

/** One token API: who issues tokens under a name of its own. */
export interface Dialect extends PathOwner {
  readonly scopes: ScopeRules;
  /** How the dialect's own calls name a token. */
  externalId(token: Token): string;
  /** What its OpenAPI document says before it comes to the operations. */
  readonly description: ApiDescription;
  /** Whether names of one owner's tokens must be unique in this dialect. */
  readonly hasUniqueNames?: boolean;
}
