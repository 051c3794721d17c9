import { Injectable } from '@nestjs/common';
import type { PathItemObject } from '@nestjs/swagger';
import type { Token } from '../tokens/token.entity.js';
import type { Dialect, PathOwner } from './dialect.js';

/** All owners of paths and all dialects. Each dialect's module registers itself. */
@Injectable()
export class DialectRegistry {
  private readonly dialects = new Map<string, Dialect>();
  /** OpenAPI paths of endpoints without a Nest controller. */
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

  /** Those of `needed` that no held scope covers, by the rules of a dialect; all of them if the dialect is unknown. */
  uncovered(held: readonly string[], dialect: string, needed: readonly string[]): string[] {
    const rules = this.dialects.get(dialect)?.scopes;
    if (!rules) return [...needed];
    return needed.filter(
      (scope) => !held.includes(scope) && !held.some((one) => one === '*' || rules.covers(one, scope)),
    );
  }

  all(): Dialect[] {
    return [...this.dialects.values()];
  }

  /** The owner of a path without query. `/` has an owner, so every path has one. */
  ownerOf(path: string): PathOwner {
    const clean = path.replace(/\/{2,}/g, '/');
    const found = this.owners.find(
      ({ mount }) => mount === '/' || clean === mount || clean.startsWith(`${mount}/`),
    );
    if (!found) throw new Error('No owner of / is registered');
    return found.owner;
  }
}
