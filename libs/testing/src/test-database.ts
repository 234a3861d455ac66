import { createHash, randomBytes } from 'node:crypto';

import { type DatabaseNames, databaseNamesOf, migrate, provisionDatabase, urlFor } from '@payflow/postgres';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import { testDatabaseAdminUrl } from './test-servers.js';

type Migration = new () => MigrationInterface;

export interface TestDatabaseOptions {
  /** Whose roles it has: migrations name the runtime role. */
  readonly service: string;
  readonly migrations: readonly Migration[];
}

export interface TestDatabase {
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
  /** Deletes the database; connections that are still open are cut. */
  drop(): Promise<void>;
}

/** Roles belong to the whole server, so every test run must know the same passwords. */
const PASSWORDS = { owner: 'owner-of-test-databases', runtime: 'runtime-of-test-databases' };
const TEMPLATE_LOCK = 7_201_510;

/**
 * A database of a service, migrated, for one test file. Migrations run once for each set of them; every database after
 * that is a copy of the first, which takes a twentieth of the time.
 */
export const createTestDatabase = async (options: TestDatabaseOptions): Promise<TestDatabase> => {
  const adminUrl = testDatabaseAdminUrl();
  const names = databaseNamesOf(options.service);
  const template = `template_${names.database}_${await fingerprintOf(options.migrations)}`;
  const database = `test_${names.runtime.slice(0, 30)}_${randomBytes(6).toString('hex')}`;
  await withAdmin(adminUrl, async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    if (!(await exists(admin, template))) await createTemplate(admin, adminUrl, template, names, options.migrations);
    await admin.query(
      `CREATE DATABASE ${quoted(database)} OWNER ${quoted(names.owner)} TEMPLATE ${quoted(template)} STRATEGY WAL_LOG`,
    );
    // A copy does not have its template's own privileges.
    await admin.query(`REVOKE ALL ON DATABASE ${quoted(database)} FROM PUBLIC`);
    await admin.query(`GRANT CONNECT ON DATABASE ${quoted(database)} TO ${quoted(names.runtime)}`);
  });
  return {
    ownerUrl: urlFor(adminUrl, database, names.owner, PASSWORDS.owner),
    runtimeUrl: urlFor(adminUrl, database, names.runtime, PASSWORDS.runtime),
    drop: async () => {
      await withAdmin(adminUrl, async (admin) => {
        await admin.query(`DROP DATABASE IF EXISTS ${quoted(database)} WITH (FORCE)`);
      });
    },
  };
};

/** Built under another name and renamed at the end, so that a template which exists is complete. */
const createTemplate = async (
  admin: pg.Client,
  adminUrl: string,
  template: string,
  names: DatabaseNames,
  migrations: readonly Migration[],
): Promise<void> => {
  const draft = `${template}_draft`;
  await admin.query(`DROP DATABASE IF EXISTS ${quoted(draft)} WITH (FORCE)`);
  const { ownerUrl } = await provisionDatabase(adminUrl, { ...names, database: draft }, PASSWORDS);
  await migrate(ownerUrl, migrations);
  await admin.query(`ALTER DATABASE ${quoted(draft)} RENAME TO ${quoted(template)}`);
};

/**
 * Names a set of migrations by the SQL they run, which they are asked to speak into the void: their own source would not
 * show a changed statement that they import.
 */
const fingerprintOf = async (migrations: readonly Migration[]): Promise<string> => {
  const hash = createHash('sha256');
  const record = (text: string): Promise<never[]> => {
    hash.update(text).update('\0');
    return Promise.resolve([]);
  };
  for (const migration of migrations) {
    hash.update(migration.name).update('\0').update(migration.toString()).update('\0');
    await new migration().up({ query: record } as unknown as QueryRunner);
  }
  return hash.digest('hex').slice(0, 12);
};

const exists = async (admin: pg.Client, database: string): Promise<boolean> =>
  (await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])).rowCount === 1;

const withAdmin = async (url: string, work: (admin: pg.Client) => Promise<void>): Promise<void> => {
  const client = new pg.Client({ connectionString: url, application_name: 'test-database' });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
};

const quoted = (name: string): string => pg.escapeIdentifier(name);
