import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountsService } from '../../accounts/accounts.service.js';
import { Location } from '../../accounts/location.entity.js';
import type { Principal } from '../../auth/principal.js';
import { runnerOf } from '../../database/statements.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import type { ListQuery } from '../../native/list.dto.js';
import { Admission } from '../../tokens/authority/admission.js';

/** Locations as administrators see and make them. */
@Injectable()
export class LocationsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    private readonly admission: Admission,
  ) {}

  /** @throws {Refusal} forbidden for who does not administer everything; conflict for a name that is taken. */
  create(caller: Principal, name: string): Promise<Location> {
    return this.accounts.createLocation(name, caller.actor, async (manager) => {
      const { powers } = await this.admission.admit(runnerOf(manager), caller);
      powers.assertAdministersAll();
    });
  }

  /** @throws {Refusal} forbidden for a member. */
  async list(caller: Principal, { cursor, limit }: ListQuery): Promise<Page<Location>> {
    caller.assertAdministers();
    const query = this.dataSource.manager.createQueryBuilder(Location, 'place');
    return readPage(query, newestFirst('place.createdAt'), cursor, limit);
  }
}
