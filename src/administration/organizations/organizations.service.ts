import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountsService } from '../../accounts/accounts.service.js';
import { Organization } from '../../accounts/organization.entity.js';
import type { Principal } from '../../auth/principal.js';
import { runnerOf } from '../../database/statements.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import type { ListQuery } from '../../native/list.dto.js';
import { Admission } from '../../tokens/authority/admission.js';
import { makeFirstPolicy } from '../../tokens/policy/policy.entity.js';

/** Organizations as administrators see and make them. */
@Injectable()
export class OrganizationsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    private readonly admission: Admission,
  ) {}

  /**
   * Makes an organization, with a policy that allows everything.
   *
   * @throws {Refusal} forbidden for who does not administer everything; conflict for a name that is taken.
   */
  create(caller: Principal, name: string): Promise<Organization> {
    return this.accounts.createOrganization(name, caller.actor, makeFirstPolicy, async (manager) => {
      const { powers } = await this.admission.admit(runnerOf(manager), caller);
      powers.assertAdministersAll();
    });
  }

  /** @throws {Refusal} forbidden for a member. */
  async list(caller: Principal, { cursor, limit }: ListQuery): Promise<Page<Organization>> {
    caller.assertAdministers();
    const query = this.dataSource.manager.createQueryBuilder(Organization, 'place');
    if (!caller.isAdministrator) query.where({ id: caller.user.organizationId });
    return readPage(query, newestFirst('place.createdAt'), cursor, limit);
  }
}
