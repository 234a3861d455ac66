import { DataSource, type MigrationInterface } from 'typeorm';

/** Any number that no other lock of the database uses. */
const MIGRATION_LOCK = 7_201_501;

/**
 * Applies the migrations that are missing, in order, each in a transaction of its own. Of two instances that start at
 * once, one applies and the other waits.
 *
 * @param url of the database's owner, not of the runtime role
 * @returns the names of the migrations it applied
 */
export const migrate = async (
  url: string,
  migrations: readonly (new () => MigrationInterface)[],
): Promise<readonly string[]> => {
  const dataSource = await new DataSource({
    type: 'postgres',
    url,
    applicationName: 'migrate',
    migrations: [...migrations],
    migrationsTableName: 'schema_migrations',
    migrationsTransactionMode: 'each',
  }).initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return (await dataSource.runMigrations()).map((migration) => migration.name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await lock.release();
    await dataSource.destroy();
  }
};
