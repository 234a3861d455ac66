import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import {
  Database,
  DatabaseUnavailableError,
  isUniqueViolation,
  migrate,
  provisionDatabase,
  type ProvisionedDatabase,
} from '../src/index.js';
import { CuttingProxy } from './cutting-proxy.js';

class CreateNotes1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE notes');
  }
}

class AddTags1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE tags (id bigint PRIMARY KEY)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tags');
  }
}

const adminUrl = process.env['PAYFLOW_TEST_DATABASE_URL'] ?? '';
const name = `payflow_test_${randomBytes(4).toString('hex')}`;
const names = { database: name, owner: `${name}_owner`, runtime: name };
const passwords = { owner: 'owner-secret', runtime: 'runtime-secret' };

describe('the database library', () => {
  let urls: ProvisionedDatabase;
  let proxy: CuttingProxy;
  let database: Database;

  const connectThroughProxy = async (): Promise<Database> => {
    const url = new URL(urls.runtimeUrl);
    url.port = String(proxy.port);
    return await Database.connect({ url: url.toString(), applicationName: 'test', poolSizeMax: 4 });
  };

  beforeAll(async () => {
    urls = await provisionDatabase(adminUrl, names, passwords);
    await migrate(urls.ownerUrl, [CreateNotes1700000000000]);
    const { hostname, port } = new URL(urls.runtimeUrl);
    proxy = await CuttingProxy.before({ host: hostname, port: Number(port) });
    database = await connectThroughProxy();
  });

  afterAll(async () => {
    await database.close();
    await proxy.close();
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.query(`DROP ROLE ${names.owner}, ${names.runtime}`);
    await admin.end();
  });

  beforeEach(async () => {
    await database.execute('DELETE FROM notes');
  });

  const write = async (id: number, committed: () => void = () => undefined): Promise<string> =>
    await database.transaction(async (tx) => {
      await tx.execute('INSERT INTO notes VALUES ($1, $2)', [id, 'x']);
      tx.onCommit(committed);
      return 'done';
    });
  const ids = async (): Promise<bigint[]> =>
    (await database.query<{ id: bigint }>('SELECT id FROM notes ORDER BY id')).map((row) => row.id);

  it('commits what the work wrote, then tells who waits for the commit; bigint columns are bigint', async () => {
    let told = 0;
    expect(await write(1, () => (told += 1))).toBe('done');
    expect(told).toBe(1);
    expect(await ids()).toEqual([1n]);
  });

  it('rolls everything back when the work throws, and tells nobody', async () => {
    let told = 0;
    const failing = database.transaction(async (tx) => {
      await tx.execute('INSERT INTO notes VALUES (1, $1)', ['x']);
      tx.onCommit(() => (told += 1));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(told).toBe(0);
    expect(await ids()).toEqual([]);
  });

  it('does not count as done what was rolled back because the work ignored a failed statement', async () => {
    let told = 0;
    const ignoring = database.transaction(async (tx) => {
      await tx.execute('INSERT INTO notes VALUES (1, $1)', ['x']);
      await tx.execute('INSERT INTO notes VALUES (1, $1)', ['again']).catch(() => undefined);
      tx.onCommit(() => (told += 1));
      return 'done';
    });
    await expect(ignoring).rejects.toThrow('COMMIT answered ROLLBACK');
    expect(told).toBe(0);
    expect(await ids()).toEqual([]);
  });

  it('runs statements that nobody waits for between in their order, before the commit', async () => {
    const counts = await database.transaction(async (tx) => {
      const answers = await Promise.all([
        tx.execute('INSERT INTO notes VALUES (1, $1)', ['first']),
        tx.query<{ body: string }>('SELECT body FROM notes WHERE id = $1', [1]),
        tx.execute('UPDATE notes SET body = $2 WHERE id = $1', [1, 'second']),
        tx.query<{ body: string }>('SELECT body FROM notes WHERE id = $1', [1]),
      ]);
      void tx.execute('INSERT INTO notes VALUES (2, $1)', ['sent with the commit']);
      return answers;
    });
    expect(counts).toEqual([1, [{ body: 'first' }], 1, [{ body: 'second' }]]);
    expect(await ids()).toEqual([1n, 2n]);
  });

  it('runs nothing behind a statement that failed, and tells all who wait for it why', async () => {
    await write(1);
    let verdicts: readonly PromiseSettledResult<unknown>[] = [];
    const failed = database.transaction(async (tx) => {
      const statements = [2, 1, 3].map((id) => tx.execute('INSERT INTO notes VALUES ($1, $2)', [id, 'x']));
      verdicts = await Promise.allSettled(statements);
      await Promise.all(statements);
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(verdicts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await ids()).toEqual([1n]);
  });

  it('goes on with a statement that failed when it was first prepared, and after its columns changed', async () => {
    const read = async () => await database.query<{ title: unknown }>('SELECT title FROM shelf');
    const owner = new pg.Client({ connectionString: urls.ownerUrl });
    await owner.connect();
    await expect(read()).rejects.toMatchObject({ code: '42P01' });
    await owner.query('CREATE TABLE shelf AS SELECT 1 AS title');
    expect(await read()).toEqual([{ title: 1 }]);
    await owner.query(`ALTER TABLE shelf ALTER title TYPE text USING 'one'`);
    // Postgres refuses the old plan once; the statement is prepared anew after that.
    await expect(read()).rejects.toThrow('cached plan');
    expect(await read()).toEqual([{ title: 'one' }]);
    await owner.query('DROP TABLE shelf');
    await owner.end();
  });

  it('names the constraint a duplicate broke', async () => {
    await write(1);
    const twice = await write(1).catch((error: unknown) => error);
    expect(isUniqueViolation(twice, 'notes_pkey')).toBe(true);
    expect(isUniqueViolation(twice, 'other')).toBe(false);
  });

  it('lets nothing run behind its end, whoever of those that work side by side is slower', async () => {
    let straggler: Promise<unknown> = Promise.resolve();
    const told = database.transaction(async (tx) => {
      const slower = async (): Promise<void> => {
        await tx.query('SELECT 1');
        await tx.query('SELECT 2');
        await tx.execute('INSERT INTO notes VALUES (1, $1)', ['x']);
      };
      const failing = async (): Promise<never> => {
        await tx.query('SELECT 1');
        throw new Error('no');
      };
      straggler = slower();
      await Promise.all([straggler, failing()]);
    });
    await expect(told).rejects.toThrow('no');
    await expect(straggler).rejects.toThrow('has ended');
    expect(await ids()).toEqual([]);
  });

  it('runs a transaction again that lost to a concurrent one', async () => {
    await write(1);
    let runs = 0;
    const increment = () =>
      database.transaction(async (tx) => {
        runs += 1;
        const [row] = await tx.query<{ body: string }>('SELECT body FROM notes WHERE id = 1');
        await tx.execute('UPDATE notes SET body = $1 WHERE id = 1', [`${row?.body}x`]);
      }, 'SERIALIZABLE');
    await Promise.all([increment(), increment(), increment()]);
    expect((await database.query<{ body: string }>('SELECT body FROM notes'))[0]?.body).toBe('xxxx');
    expect(runs).toBeGreaterThanOrEqual(3);
  });

  it('says that nothing was committed when its backend is terminated, and goes on with a new connection', async () => {
    const killed = database.transaction(async (tx) => {
      await tx.execute('INSERT INTO notes VALUES (1, $1)', ['x']);
      const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const admin = new pg.Client({ connectionString: adminUrl });
      await admin.connect();
      await admin.query('SELECT pg_terminate_backend($1)', [own?.pid]);
      await admin.end();
      await tx.execute('INSERT INTO notes VALUES (2, $1)', ['x']);
    });
    await expect(killed).rejects.toBeInstanceOf(DatabaseUnavailableError);
    expect(await ids()).toEqual([]);
    await write(3);
    expect(await ids()).toEqual([3n]);
  });

  it('counts a transaction as done whose answer to COMMIT was lost', async () => {
    proxy.cut = 'answer-lost';
    let told = 0;
    expect(await write(7, () => (told += 1))).toBe('done');
    expect(told).toBe(1);
    expect(await ids()).toEqual([7n]);
  });

  it('counts a transaction as undone whose COMMIT never arrived', async () => {
    proxy.cut = 'request-lost';
    await expect(write(8)).rejects.toBeInstanceOf(DatabaseUnavailableError);
    expect(await ids()).toEqual([]);
  });

  it('reads one moment in a snapshot, writes nothing there, and takes no transaction id', async () => {
    await write(1);
    const seen = await database.snapshot(async (sql) => {
      const before = await sql.query('SELECT id FROM notes');
      await write(2);
      const [own] = await sql.query<{ id: string | null }>('SELECT pg_current_xact_id_if_assigned()::text AS id');
      return [before.length, (await sql.query('SELECT id FROM notes')).length, own?.id];
    });
    expect(seen).toEqual([1, 1, null]);
    await expect(database.snapshot(async (sql) => await sql.execute('DELETE FROM notes'))).rejects.toThrow('read-only');
    expect(await ids()).toEqual([1n, 2n]);
  });

  it('hands no broken connection to the next caller', async () => {
    proxy.cut = 'answer-lost';
    await write(9);
    await Promise.all(Array.from({ length: 8 }, (_, index) => write(100 + index)));
    expect(await ids()).toHaveLength(9);
  });

  it('outlives a connection that the server ends with its greeting, before anybody holds it', async () => {
    const fresh = await connectThroughProxy();
    await fresh.transaction(async (tx) => {
      await tx.query('SELECT 1');
      proxy.terminatesNextGreeting = true;
      // The only connection so far is taken: a second one is made for it.
      await expect(fresh.query('SELECT 1')).rejects.toBeInstanceOf(DatabaseUnavailableError);
      expect(proxy.terminatesNextGreeting).toBe(false);
    });
    expect(await fresh.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await fresh.close();
  });

  it('migrates once when two instances start at the same moment', async () => {
    const both = [CreateNotes1700000000000, AddTags1700000000001];
    const applied = await Promise.all([migrate(urls.ownerUrl, both), migrate(urls.ownerUrl, both)]);
    expect(applied.flat()).toEqual(['AddTags1700000000001']);
    expect(await provisionDatabase(adminUrl, names, passwords)).toEqual(urls);
    expect(await migrate(urls.ownerUrl, both)).toEqual([]);
  });

  it('keeps the schema from the runtime role', async () => {
    await expect(database.execute('CREATE TABLE mine (id int)')).rejects.toThrow('permission denied');
    await expect(database.execute('DROP TABLE notes')).rejects.toThrow('must be owner');
  });
});
