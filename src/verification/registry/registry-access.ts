import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Organization } from '../../accounts/organization.entity.js';
import type { User } from '../../accounts/user.entity.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { Token } from '../../tokens/token.entity.js';
import { type Access, type Action, ACTIONS, isCatalog, namespaceOf, narrowed } from './grants.js';

/** What each scope opens, in Quay's words, which are the only ones that speak of repositories. */
const ACTIONS_OF_SCOPES: [scope: string, actions: readonly Action[]][] = [
  ['repo:admin', ACTIONS],
  ['repo:write', ['pull', 'push']],
  ['repo:read', ['pull']],
];
/** An app token of Quay's has, at a registry, its owner's rights. */
const APP_TOKEN = { dialect: 'quay', scope: 'user:admin' };

/** What a token may do at a registry: what its owner reaches AND what its scopes open. */
@Injectable()
export class RegistryAccess {
  constructor(
    private readonly dataSource: DataSource,
    private readonly dialects: DialectRegistry,
  ) {}

  /** Of what is asked for, all that is granted, in its order; the rest is left out. */
  async grant(token: Token, wanted: readonly Access[]): Promise<Access[]> {
    const allowed = this.actionsOf(token);
    const granted: Access[] = [];
    for (const access of wanted) {
      const narrow = narrowed(access, allowed);
      if (narrow && (await this.reaches(token.owner, access))) granted.push(narrow);
    }
    return granted;
  }

  private actionsOf({ dialect, scopes }: Token): readonly Action[] {
    if (dialect === APP_TOKEN.dialect && scopes.includes(APP_TOKEN.scope)) return ACTIONS;
    const holds = (scope: string): boolean => this.dialects.uncovered(scopes, dialect, [scope]).length === 0;
    return ACTIONS_OF_SCOPES.find(([scope]) => holds(scope))?.[1] ?? [];
  }

  private async reaches(owner: User, access: Access): Promise<boolean> {
    const isAdministrator = owner.role === 'administrator';
    if (isCatalog(access)) return isAdministrator;
    const namespace = namespaceOf(access);
    if (namespace === undefined) return false;
    if (isAdministrator || namespace === owner.organization.name.toLowerCase()) return true;
    // Whoever may make users could name one like another organization: then the name is the organization's.
    return namespace === owner.login.toLowerCase() && !(await this.isOrganization(namespace));
  }

  private isOrganization(name: string): Promise<boolean> {
    return this.dataSource.manager
      .createQueryBuilder(Organization, 'organization')
      .where('lower(organization.name) = :name', { name })
      .getExists();
  }
}
