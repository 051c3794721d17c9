import type { OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import { isDatabaseUnavailable } from './errors.js';
import type { Standby } from './standby.js';

/** As many as read at once where there is no standby. */
const CONNECTIONS = 12;

const NONE = { read: 0, passedOver: 0 };

/** TypeORM's queries over a connection that somebody else holds. */
class HeldConnection extends PostgresQueryRunner {
  constructor(dataSource: DataSource, client: pg.PoolClient) {
    super(dataSource.driver as PostgresDriver, 'slave');
    this.databaseConnection = client;
  }
}

/**
 * Where lists are read (inventory, audit trail): on the standby, if there is one, else where everything else is. What was
 * acknowledged before a read began is in it.
 */
export class Listings implements OnApplicationShutdown {
  private readonly pool: pg.Pool | undefined;

  /** @param standby undefined: there is none. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly standby: Standby | undefined,
  ) {
    this.pool = standby?.server.pool({ application_name: 'patois-lists', max: CONNECTIONS });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool?.end();
  }

  /** Lists and exports that the standby answered so far, and those that the primary had to. */
  get total(): Readonly<Standby['total']> {
    return this.standby?.total ?? NONE;
  }

  /** @param work reads by the manager that it is given alone, and may be called again after it failed. */
  async read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    const { dataSource, standby, pool } = this;
    const onPrimary = (): Promise<Result> => work(dataSource.manager);
    if (!standby || !pool) return onPrimary();
    return standby.read(pool, (client) => this.readOver(client, work), onPrimary);
  }

  private async readOver<Result>(
    client: pg.PoolClient,
    work: (manager: EntityManager) => Promise<Result>,
  ): Promise<Result> {
    const runner = new HeldConnection(this.dataSource, client);
    try {
      const result = await work(this.dataSource.createEntityManager(runner));
      await client.query('COMMIT');
      client.release();
      return result;
    } catch (error) {
      client.release(isDatabaseUnavailable(error) || (await isBrokenBy(client.query('ROLLBACK'))));
      throw error;
    } finally {
      await runner.release();
    }
  }
}

/** Whether a connection does not even end its transaction. */
function isBrokenBy(ending: Promise<unknown>): Promise<boolean> {
  return ending.then(
    () => false,
    () => true,
  );
}
