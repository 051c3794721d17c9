import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Organization } from '../../accounts/organization.entity.js';
import { findPlace, findUser } from '../../accounts/references.js';
import type { User } from '../../accounts/user.entity.js';
import { isTokenId } from '../token-format.js';
import { Token } from '../token.entity.js';
import type { TokenFilter } from './token-filter.js';

/** Who looks at tokens: as much of a caller as that depends on. */
export interface Viewer {
  readonly user: Pick<User, 'id' | 'organizationId'>;
  readonly isAdministrator: boolean;
  administers(organizationId: string): boolean;
}

/** A filter as a caller writes it: users, organizations and makers by the names that people have for them. */
export type NamedTokenFilter = Omit<TokenFilter, 'ownerId' | 'organizationId' | 'createdBy' | 'tokenId'> & {
  /** Login or uuid. */
  owner?: string;
  /** Name or uuid. */
  organization?: string;
  /** Login or uuid of a user, or a token id. */
  createdBy?: string;
};

/** Administrators see all tokens, organization administrators those of the organization, everybody the own ones. */
export function visibleTo(viewer: Viewer): { ownerId?: string; organizationId?: string } {
  const { id, organizationId } = viewer.user;
  if (viewer.isAdministrator) return {};
  return viewer.administers(organizationId) ? { organizationId } : { ownerId: id };
}

/** The tokens that are there, as those see them who may see them. */
@Injectable()
export class Inventory {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * What a caller means: of the tokens that the caller sees those that the filter names. A text that is the whole id of
   * one of them means that one alone.
   *
   * @returns undefined where there can be none: nobody of that name, or nobody that the caller sees.
   */
  async resolve(
    viewer: Viewer,
    { owner, organization, createdBy, q, ...filter }: NamedTokenFilter,
  ): Promise<TokenFilter | undefined> {
    const { manager } = this.dataSource;
    const visible = visibleTo(viewer);
    const resolved: TokenFilter = { ...filter, ...visible };
    if (owner !== undefined) {
      const user = await findUser(manager, owner, true);
      // A token's organization is its owner's.
      const isSeen = user && isBoth(visible.ownerId, user.id);
      if (!isSeen || !isBoth(visible.organizationId, user.organizationId)) return undefined;
      resolved.ownerId = user.id;
    }
    if (organization !== undefined) {
      const place = await findPlace(manager, Organization, organization);
      if (!place || !isBoth(visible.organizationId, place.id)) return undefined;
      resolved.organizationId = place.id;
    }
    if (createdBy !== undefined) {
      const maker = isTokenId(createdBy)
        ? await manager.findOne(Token, { where: { tokenId: createdBy }, select: { id: true } })
        : await findUser(manager, createdBy, true);
      if (!maker) return undefined;
      resolved.createdBy = maker.id;
    }
    if (q !== undefined) {
      const isWhole = isTokenId(q) && (await manager.existsBy(Token, { ...visible, tokenId: q }));
      if (isWhole) resolved.tokenId = q;
      else resolved.q = q;
    }
    return resolved;
  }
}

/** Whether something can be both: undefined is anything. */
function isBoth(one: string | undefined, other: string): boolean {
  return one === undefined || one === other;
}
