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

/** The head of an API's OpenAPI document. */
export interface ApiDescription {
  title: string;
  /** Markdown: the purpose of the API, and what clients must know beyond the schemas. */
  description: string;
  /** Security schemes by name; any one of them suffices. */
  credentials: Record<string, SecuritySchemeObject>;
  /** One line for each tag of its operations. */
  tags: Record<string, string>;
  /** Base paths, each of which serves all paths; default: `/`. */
  servers?: readonly string[];
}

/** Anything that carries Node's request: Fastify's request, or an object of a fast path. */
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
   * The canonical form of a path below its mounts, such as without a version or a file extension; default: the path
   * itself. Both are without query.
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
  /** Whether this refusal of a body takes precedence over authentication; default: none does. */
  refusesBodyFirst?(refusal: Refusal): boolean;
}

/** The scopes of a dialect. */
export interface ScopeRules {
  /** The scopes that the API has, as far as they can be listed: by how many of them one covers, its power is compared. */
  readonly vocabulary: readonly string[];
  /** Whether a token of this dialect may hold the scope. */
  isKnown(scope: string): boolean;
  /** Whether a held scope covers another: its bearer may do, and grant, what `needed` allows. */
  covers(held: string, needed: string): boolean;
  /** Scopes of tokens that are created through Patois' own API without scopes; undefined: scopes are required. */
  readonly defaults?: readonly string[];
  /** What every scope beyond the vocabulary looks like, where the API has an open set of them. */
  readonly pattern?: RegExp;
  /** Scopes beyond the vocabulary that people may want to choose from; they count for no comparison. */
  readonly suggestions?: readonly string[];
}

/** One token API, which issues tokens under its own name. */
export interface Dialect extends PathOwner {
  readonly scopes: ScopeRules;
  /** The id of a token in the dialect's own calls. */
  externalId(token: Token): string;
  /** The head of its OpenAPI document. */
  readonly description: ApiDescription;
  /** Whether names of one owner's tokens must be unique in this dialect. */
  readonly hasUniqueNames?: boolean;
}
