import { Database } from '@payflow/postgres';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import { createTestDatabase, type TestDatabase } from '../src/index.js';

const created: TestDatabase[] = [];
const create = async (migrations: readonly (new () => MigrationInterface)[]): Promise<TestDatabase> => {
  const database = await createTestDatabase({ service: 'testing', migrations });
  created.push(database);
  return database;
};

const migrationOf = (ddl: string): new () => MigrationInterface => {
  class Things1700000000000 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(ddl);
    }
    async down(): Promise<void> {
      // Migrations only go forward.
    }
  }
  return Things1700000000000;
};

const withDatabase = async <Result>(url: string, work: (database: Database) => Promise<Result>): Promise<Result> => {
  const database = await Database.connect({ url, applicationName: 'test', poolSizeMax: 1 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
};

describe('createTestDatabase', () => {
  afterAll(async () => {
    for (const database of created) await database.drop();
  });

  it('gives each test file a migrated database of its own, which the runtime role may fill but not change', async () => {
    const migration = migrationOf('CREATE TABLE things (name text NOT NULL)');
    const [first, second] = await Promise.all([create([migration]), create([migration])]);
    await withDatabase(first.runtimeUrl, (database) =>
      database.execute(`INSERT INTO things (name) VALUES ('in the first')`),
    );
    const seen = await withDatabase(second.runtimeUrl, (database) => database.query('SELECT name FROM things'));
    expect(seen).toEqual([]);
    await expect(withDatabase(second.runtimeUrl, (database) => database.execute('DROP TABLE things'))).rejects.toThrow(
      /must be owner/,
    );
  });

  it('does not hand out the copy of an older schema when a statement of a migration has changed', async () => {
    await create([migrationOf('CREATE TABLE things (name text NOT NULL)')]);
    const changed = await create([migrationOf('CREATE TABLE things (name text NOT NULL, colour text)')]);
    const rows = await withDatabase(changed.runtimeUrl, (database) => database.query('SELECT colour FROM things'));
    expect(rows).toEqual([]);
  });
});
