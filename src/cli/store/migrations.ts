import type { DataSource } from 'typeorm';
import { migrateAlone } from '../../database/migrate.js';
import { withStore } from './open-store.js';

/**
 * Runs the migrations that the store has not had, while no other process does.
 *
 * @param isCheck whether nothing is changed.
 * @returns their names.
 */
export function migrate(isCheck: boolean): Promise<string[]> {
  return withStore(!isCheck, async ({ dataSource, database }) => {
    const before = await pendingMigrations(dataSource);
    if (isCheck) return before;
    await migrateAlone(dataSource, database.isEmbedded, async () => undefined);
    return before;
  });
}

/** The names of migrations that are still to run. */
export async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const table = dataSource.options.migrationsTableName ?? 'migrations';
    const isThere = await runner.hasTable(table);
    const rows = isThere ? ((await runner.query(`SELECT name FROM ${table}`)) as { name: string }[]) : [];
    const run = new Set(rows.map(({ name }) => name));
    return dataSource.migrations
      .map(({ name, constructor }) => name ?? constructor.name)
      .filter((name) => !run.has(name));
  } finally {
    await runner.release();
  }
}
