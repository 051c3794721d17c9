import { type DataSource, type Migration, MigrationExecutor, type QueryRunner } from 'typeorm';
import { LOCKS, whileLocked } from './advisory-lock.js';
import { briefly } from '../../migrations/online.js';

/** Brings the schema up to date and then does what a start does once, while no other replica does either. */
export async function migrateAlone<Result>(
  dataSource: DataSource,
  isEmbedded: boolean,
  once: () => Promise<Result>,
): Promise<Result> {
  const work = async (): Promise<Result> => {
    await migrate(dataSource);
    return once();
  };
  // The embedded engine has one connection, so a lock held on a second one would wait for ever; its folder is locked.
  return isEmbedded ? work() : whileLocked(dataSource, LOCKS.migrations, work);
}

/**
 * Runs the migrations that are missing, each in a transaction of its own that gives up where it would make others wait
 * ({@link briefly}), or, where it says `transaction = false`, in the steps that it makes itself.
 */
async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    const executor = new MigrationExecutor(dataSource, runner);
    for (const migration of await executor.getPendingMigrations()) await run(executor, migration, runner);
  } finally {
    await runner.release();
  }
}

async function run(executor: MigrationExecutor, migration: Migration, runner: QueryRunner): Promise<void> {
  if (migration.instance?.transaction === false) await executor.executeMigration(migration);
  else await briefly(runner, () => executor.executeMigration(migration));
}
