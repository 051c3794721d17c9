import type { FastifyRequest } from 'fastify';
import { Injectable } from '@nestjs/common';
import type { PathItemObject, SecuritySchemeObject } from '@nestjs/swagger';
import type { Refusal } from '../tokens/refusal.js';
import type { Token } from '../tokens/token.entity.js';
import type { Presented } from './credentials.js';

/** A worded refusal, ready to be sent. */
export interface Answer {
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

/** Whoever owns paths of this server: reads their credentials and words their refusals. */
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
  /** What the request presents, in the headers this owner reads. Throws no error: wrong ones are `malformed`. */
  presented(request: FastifyRequest): Presented;
  /** Words a refusal. Called for faults of its own paths only, unknown routes and unparsable bodies included. */
  answer(refusal: Refusal, request: FastifyRequest): Answer;
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

/** Who owns which path, and what each dialect's words mean. Each dialect's module registers itself. */
@Injectable()
export class DialectRegistry {
  private readonly dialects = new Map<string, Dialect>();
  /** OpenAPI paths of what is served past Nest's controllers, for the documents. */
  readonly furtherPaths: Record<string, PathItemObject> = {};
  private readonly owners: { mount: string; owner: PathOwner }[] = [];

  /** Adds an owner of paths that issues no tokens of its own. */
  registerOwner(owner: PathOwner): void {
    for (const mount of owner.mounts) {
      if (this.owners.some((other) => other.mount === mount)) throw new Error(`${mount} is owned twice`);
      this.owners.push({ mount, owner });
    }
    this.owners.sort((one, other) => other.mount.length - one.mount.length);
  }

  registerDialect(dialect: Dialect): void {
    if (this.dialects.has(dialect.name)) throw new Error(`The dialect ${dialect.name} is registered twice`);
    this.dialects.set(dialect.name, dialect);
    this.registerOwner(dialect);
  }

  /** Describes routes that no controller serves. */
  describePaths(paths: Record<string, PathItemObject>): void {
    Object.assign(this.furtherPaths, paths);
  }

  /** The dialect of that name, or undefined. */
  find(name: string): Dialect | undefined {
    return this.dialects.get(name);
  }

  /** The dialect that issued a token. */
  of(token: Token): Dialect {
    const dialect = this.dialects.get(token.dialect);
    if (!dialect) throw new Error(`Nothing speaks the dialect ${token.dialect}`);
    return dialect;
  }

  all(): Dialect[] {
    return [...this.dialects.values()];
  }

  /** Who owns a path, given without query; `/` has an owner, so every path has. */
  ownerOf(path: string): PathOwner {
    const clean = path.replace(/\/{2,}/g, '/');
    const found = this.owners.find(
      ({ mount }) => mount === '/' || clean === mount || clean.startsWith(`${mount}/`),
    );
    if (!found) throw new Error('No owner of / is registered');
    return found.owner;
  }
}
