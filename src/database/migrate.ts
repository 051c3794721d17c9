import type { DataSource } from 'typeorm';

/** Any number that no other program on the same database uses for an advisory lock. */
const LOCK = 7_245_113;

/** Brings the schema up to date and then does what a start does once, while no other replica does either. */
export async function migrateAlone<Result>(
  dataSource: DataSource,
  isEmbedded: boolean,
  once: () => Promise<Result>,
): Promise<Result> {
  // The embedded engine has one connection, so a lock held on a second one would wait for ever; its folder is locked.
  if (isEmbedded) {
    await dataSource.runMigrations();
    return once();
  }
  const holder = dataSource.createQueryRunner();
  try {
    await holder.query('SET statement_timeout = 0');
    await holder.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await dataSource.runMigrations();
    return await once();
  } finally {
    await holder.query('SELECT pg_advisory_unlock($1)', [LOCK]);
    await holder.query('RESET statement_timeout');
    await holder.release();
  }
}
