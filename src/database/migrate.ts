import type { DataSource } from 'typeorm';
import { LOCKS, whileLocked } from './advisory-lock.js';

/** Brings the schema up to date and then does what a start does once, while no other replica does either. */
export async function migrateAlone<Result>(
  dataSource: DataSource,
  isEmbedded: boolean,
  once: () => Promise<Result>,
): Promise<Result> {
  const work = async (): Promise<Result> => {
    await dataSource.runMigrations();
    return once();
  };
  // The embedded engine has one connection, so a lock held on a second one would wait for ever; its folder is locked.
  return isEmbedded ? work() : whileLocked(dataSource, LOCKS.migrations, work);
}
