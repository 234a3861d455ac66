import { setTimeout as wait } from 'node:timers/promises';

import type pg from 'pg';
import { DataSource } from 'typeorm';

import { type StatementAnswer, StatementQueue } from './batch.js';
import { CommitOutcomeUnknownError, DatabaseUnavailableError, isConnectionFailure, isRetryable } from './errors.js';

/**
 * Runs SQL. `bigint` columns come back as `bigint`, `timestamptz` as `Date`. Inside a transaction or a snapshot, statements
 * that are asked for without waiting for each other (`Promise.all`) share one round trip; they run in the order in which they
 * were asked for, and one that fails stops those behind it.
 */
export interface Sql {
  /** The rows a statement returns. */
  query<Row>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** The number of rows a statement touched. */
  execute(text: string, parameters?: readonly unknown[]): Promise<number>;
}

/** An open transaction. */
export interface Tx extends Sql {
  /** Runs when the transaction has committed, and never otherwise: to wake a relay, not to do work that must happen. */
  onCommit(action: () => void): void;
}

export interface DatabaseOptions {
  /** postgres://role:password@host:port/database of the runtime role. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly poolSizeMax: number;
  readonly onIdleError?: (error: Error) => void;
}

export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 5_000;
/** Longer than the server's own limits, so that the server speaks first and the connection stays usable. */
const QUERY_TIMEOUT_MS = 15_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
const TRANSACTION_TRIES_MAX = 6;
const RETRY_DELAY_MS = 15;
const COMMIT_LOOKUP_TRIES_MAX = 20;
const COMMIT_LOOKUP_DELAY_MS = 250;

const dataSourceOf = (options: DatabaseOptions): DataSource =>
  new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: options.applicationName,
    synchronize: false,
    extra: {
      max: options.poolSizeMax,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      keepAlive: true,
    },
  });

/**
 * A service's own database. Transactions run on the driver's pool and not on TypeORM's query runner, because only so can
 * a client whose connection broke be destroyed instead of handed to the next caller (docs/adr/0003).
 */
export class Database implements Sql {
  private constructor(
    /** For migrations and for the few places where an entity reads better than SQL. */
    readonly dataSource: DataSource,
    private readonly pool: pg.Pool,
  ) {}

  /** Connects, or throws DatabaseUnavailableError. */
  static async connect(options: DatabaseOptions): Promise<Database> {
    const dataSource = dataSourceOf(options);
    try {
      await dataSource.initialize();
    } catch (error) {
      throw isConnectionFailure(error)
        ? new DatabaseUnavailableError('the database cannot be reached', { cause: error })
        : error;
    }
    const pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
    pool.on('error', (error) => options.onIdleError?.(error));
    // A connection may end in the same breath in which it begins: before whoever asked for it has heard of it and listens. An
    // error that nobody listens to would end the process; so it is heard here, and the first statement says what is wrong.
    pool.on('connect', (client) => client.on('error', ignoredHere));
    return new Database(dataSource, pool);
  }

  async query<Row>(text: string, parameters?: readonly unknown[]): Promise<Row[]> {
    return (await this.run(text, parameters)).rows as Row[];
  }

  async execute(text: string, parameters?: readonly unknown[]): Promise<number> {
    return (await this.run(text, parameters)).rowCount;
  }

  /**
   * Runs `work` in one transaction and returns what it returned, once committed. Serialization failures and deadlocks run
   * it again, so `work` must have no effect outside the transaction. When the answer to COMMIT is lost, the server is
   * asked by transaction id what became of it: committed counts as success, aborted as failure.
   *
   * @throws DatabaseUnavailableError when the connection broke: nothing was committed
   * @throws CommitOutcomeUnknownError when not even the server could tell in time
   */
  async transaction<Result>(
    work: (tx: Tx) => Promise<Result>,
    isolation: Isolation = 'READ COMMITTED',
  ): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.attemptTransaction(work, isolation);
      } catch (error) {
        if (!isRetryable(error) || attempt === TRANSACTION_TRIES_MAX) throw error;
        await wait(RETRY_DELAY_MS * attempt * (0.5 + Math.random()));
      }
    }
  }

  /**
   * Several reads that see one moment. It takes no transaction id and writes nothing.
   *
   * @throws DatabaseUnavailableError when the connection broke
   */
  async snapshot<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    return await this.onClient(async (statements) => {
      // Not waited for: it shares the round trip of the first read.
      const begun = statements.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      begun.catch(ignoredHere);
      const result = await work(txOn(statements, []));
      await begun;
      await statements.end('COMMIT');
      return result;
    });
  }

  /** A connection of its own outside the pool's rotation, for session advisory locks. Ended by `release`. */
  async dedicatedClient(): Promise<pg.PoolClient> {
    return await this.checkOut();
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  private async attemptTransaction<Result>(work: (tx: Tx) => Promise<Result>, isolation: Isolation): Promise<Result> {
    return await this.onClient(async (statements, distrust) => {
      const afterCommit: (() => void)[] = [];
      const begun = begin(statements, isolation);
      begun.catch(ignoredHere);
      const result = await work(txOn(statements, afterCommit));
      const transactionId = await begun;
      try {
        requireCommitted(await statements.end('COMMIT'));
      } catch (error) {
        if (!isConnectionFailure(error)) throw error;
        distrust(error);
        await this.confirmCommitted(transactionId, error);
      }
      for (const action of afterCommit) action();
      return result;
    });
  }

  /** Lends a client for one transaction. What `work` throws rolls it back; a client in doubt is destroyed, not returned. */
  private async onClient<Result>(
    work: (statements: StatementQueue, distrust: (error: unknown) => void) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.checkOut();
    let connectionError: Error | undefined;
    const distrust = (error: unknown): void => {
      connectionError = asError(error);
    };
    client.on('error', distrust);
    const statements = new StatementQueue(client);
    try {
      return await work(statements, distrust);
    } catch (error) {
      if (error instanceof CommitOutcomeUnknownError) throw error;
      if (isConnectionFailure(error)) {
        distrust(error);
        throw new DatabaseUnavailableError('the database connection broke; nothing was committed', { cause: error });
      }
      await statements.end('ROLLBACK').catch(distrust);
      throw error;
    } finally {
      client.off('error', distrust);
      client.release(connectionError);
    }
  }

  /** Returns when the transaction is known to be committed; throws otherwise. */
  private async confirmCommitted(transactionId: string, cause: unknown): Promise<void> {
    for (let attempt = 1; attempt <= COMMIT_LOOKUP_TRIES_MAX; attempt += 1) {
      const status = await this.query<{ status: string | null }>('SELECT pg_xact_status($1::xid8) AS status', [
        transactionId,
      ])
        .then(([row]) => row?.status ?? null)
        .catch(() => 'unreachable');
      if (status === 'committed') return;
      if (status === 'aborted') throw new DatabaseUnavailableError('the transaction was rolled back', { cause });
      await wait(COMMIT_LOOKUP_DELAY_MS);
    }
    throw new CommitOutcomeUnknownError('the answer to COMMIT was lost', { cause });
  }

  private async run(text: string, parameters?: readonly unknown[]): Promise<StatementAnswer> {
    const client = await this.checkOut();
    let connectionError: Error | undefined;
    const distrust = (error: unknown): void => {
      connectionError = asError(error);
    };
    client.on('error', distrust);
    try {
      return await new StatementQueue(client).run(text, parameters);
    } catch (error) {
      if (!isConnectionFailure(error)) throw error;
      distrust(error);
      throw new DatabaseUnavailableError('the database cannot be reached', { cause: error });
    } finally {
      client.off('error', distrust);
      client.release(connectionError);
    }
  }

  private async checkOut(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw new DatabaseUnavailableError('the database cannot be reached', { cause: error });
    }
  }
}

/** Goes out with the transaction's first statement. When it fails, that one is not run. */
const begin = async (statements: StatementQueue, isolation: Isolation): Promise<string> => {
  const [, answer] = await Promise.all([
    statements.run(`BEGIN ISOLATION LEVEL ${isolation}`),
    statements.run('SELECT pg_current_xact_id()::text AS id'),
  ]);
  const id = answer.rows[0]?.['id'];
  if (typeof id !== 'string') throw new Error('invariant: BEGIN answered no transaction id');
  return id;
};

/** Told elsewhere too: whoever waits for the statements behind it gets the same error. */
const ignoredHere = (): void => undefined;

/**
 * To COMMIT in a transaction in which a statement failed, Postgres answers ROLLBACK and no error. Work that caught the
 * statement's error must not be told that it was done.
 */
const requireCommitted = ({ command }: { readonly command: string }): void => {
  if (command !== 'COMMIT')
    throw new Error(`invariant: a failed statement was ignored, and COMMIT answered ${command}`);
};

const txOn = (statements: StatementQueue, afterCommit: (() => void)[]): Tx => ({
  query: async <Row>(text: string, parameters?: readonly unknown[]) =>
    (await statements.run(text, parameters)).rows as Row[],
  execute: async (text, parameters) => (await statements.run(text, parameters)).rowCount,
  onCommit: (action) => void afterCommit.push(action),
});

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
