import type { Sql } from '@payflow/postgres';
import pg from 'pg';

const CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const ROWS_PER_FETCH = 5_000;
/** Read-only by the session, whatever the role may do. Sorts of millions of rows get room; cursors are planned to be read to the end. */
const SESSION =
  '-c default_transaction_read_only=on -c work_mem=64MB -c cursor_tuple_fraction=1.0 -c statement_timeout=0 -c jit=off';

const int8AsBigint = new pg.TypeOverrides();
int8AsBigint.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text));

/** A database as the audit sees it: it can read, and nothing else. */
export class ReadDatabase implements Sql {
  readonly name: string;
  private readonly pool: pg.Pool;

  constructor(name: string, url: string) {
    this.name = name;
    this.pool = new pg.Pool({
      connectionString: url,
      application_name: 'payflow-audit',
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      options: SESSION,
      types: int8AsBigint,
    });
    // A connection that breaks while it is idle, or between two statements; the next statement says what is wrong.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async query<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row & pg.QueryResultRow>(text, [...parameters])).rows;
  }

  async execute(text: string, parameters: readonly unknown[] = []): Promise<number> {
    return (await this.pool.query(text, [...parameters])).rowCount ?? 0;
  }

  /** Several reads that see one moment. */
  async snapshot<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    const client = await this.pool.connect();
    let failure: Error | undefined;
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      const result = await work(sqlOn(client));
      await client.query('COMMIT');
      return result;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(failure);
    }
  }

  /** The rows of one statement, of one moment, in portions: for results that do not fit into memory. */
  async *stream<Row>(text: string, parameters: readonly unknown[] = []): AsyncGenerator<readonly Row[]> {
    const client = await this.pool.connect();
    let failure: Error | undefined;
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query(`DECLARE rows NO SCROLL CURSOR FOR ${text}`, [...parameters]);
      for (;;) {
        const { rows } = await client.query<Row & pg.QueryResultRow>(`FETCH ${ROWS_PER_FETCH} FROM rows`);
        if (rows.length === 0) break;
        yield rows;
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      if (failure === undefined) await client.query('ROLLBACK');
      client.release(failure);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

const sqlOn = (client: pg.PoolClient): Sql => ({
  query: async <Row>(text: string, parameters: readonly unknown[] = []) =>
    (await client.query<Row & pg.QueryResultRow>(text, [...parameters])).rows,
  execute: async (text, parameters = []) => (await client.query(text, [...parameters])).rowCount ?? 0,
});
