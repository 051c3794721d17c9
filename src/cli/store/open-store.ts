import { Logger } from '@nestjs/common';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { type Config, ConfigurationError, readConfig } from '../../config.js';
import { createDataSource } from '../../data-source.js';
import { type Database, openDatabase } from '../../database/database.js';
import { LockedError } from '../../database/folder-lock.js';
import { CommandError, EXIT, usageError } from '../exit.js';

/** The store of a server, without one. */
export interface Store {
  config: Config;
  database: Database;
  dataSource: DataSource;
}

/**
 * Works on the store that the settings of a server name.
 *
 * @param mayMake whether an embedded one that is not there is made: else it is the wrong folder.
 * @throws {CommandError} for settings that are wrong, a store that is not there or that a server has open.
 */
export async function withStore<Result>(
  mayMake: boolean,
  work: (store: Store) => Promise<Result>,
): Promise<Result> {
  // Standard output is the command's own: what a server warns of in its log it says itself.
  Logger.overrideLogger(['fatal', 'error']);
  const config = readSettings();
  if (!mayMake && !config.databaseUrl && !existsSync(join(config.dataDir, 'postgres'))) {
    throw usageError(
      `There is no database in ${config.dataDir}: name its folder in DATA_DIR, or DATABASE_URL`,
    );
  }
  const database = await openDatabase(config).catch((error: unknown) => {
    if (error instanceof LockedError) throw new CommandError(error.message, EXIT.failed);
    throw error;
  });
  const dataSource = createDataSource(database);
  try {
    await dataSource.initialize();
    return await work({ config, database, dataSource });
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await database.close();
  }
}

function readSettings(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CommandError('The settings of the server are wrong', EXIT.usage, error.problems);
  }
}
