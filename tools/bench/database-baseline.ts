import pg from 'pg';

import type { DatabaseStatement } from './clients/database-statement.ts';
import type { LoadResult } from './load.ts';
import type { Bench } from './section.ts';

const DATABASE = 'payflow_bench_baseline';
const MODULE = new URL('./clients/database-statement.ts', import.meta.url);

/**
 * What a ledger is at the least: accounts, transfers that post once, and two entries for each with the balance after it. No
 * checks, no proofs, no history of who did it: what anybody would do who wants to be fast in the database.
 */
const SCHEMA = `
CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL DEFAULT 0) WITH (fillfactor = 70);
CREATE TABLE transfers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text COLLATE "C" NOT NULL UNIQUE,
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE entries (
  transfer bigint NOT NULL, account bigint NOT NULL, amount bigint NOT NULL, balance_after bigint NOT NULL,
  PRIMARY KEY (account, transfer));

CREATE FUNCTION transfer(debtor bigint, creditor bigint, amount bigint, reference text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE new_transfer bigint; debtor_balance bigint; creditor_balance bigint;
BEGIN
  PERFORM 1 FROM accounts WHERE id IN (debtor, creditor) ORDER BY id FOR UPDATE;
  UPDATE accounts a SET balance = balance - amount WHERE a.id = debtor RETURNING balance INTO debtor_balance;
  UPDATE accounts a SET balance = balance + amount WHERE a.id = creditor RETURNING balance INTO creditor_balance;
  INSERT INTO transfers (reference) VALUES (transfer.reference) RETURNING id INTO new_transfer;
  INSERT INTO entries VALUES (new_transfer, debtor, -amount, debtor_balance), (new_transfer, creditor, amount, creditor_balance);
END $$;

CREATE FUNCTION transfers(debtors bigint[], creditors bigint[], new_references text[]) RETURNS void LANGUAGE sql AS $$
  WITH wanted AS (SELECT * FROM unnest(debtors, creditors, new_references) WITH ORDINALITY AS w (debtor, creditor, reference, n)),
       added AS (INSERT INTO transfers (reference) SELECT reference FROM wanted ORDER BY n RETURNING id, reference),
       legs AS (
         SELECT a.id AS transfer, l.account, l.amount, sum(l.amount) OVER (PARTITION BY l.account ORDER BY w.n) AS moved
           FROM wanted w JOIN added a USING (reference)
          CROSS JOIN LATERAL (VALUES (w.debtor, -1), (w.creditor, 1)) AS l (account, amount)),
       before AS (SELECT id, balance FROM accounts WHERE id IN (SELECT account FROM legs) ORDER BY id FOR UPDATE),
       written AS (
         INSERT INTO entries SELECT l.transfer, l.account, l.amount, b.balance + l.moved FROM legs l JOIN before b ON b.id = l.account)
  UPDATE accounts a SET balance = a.balance + s.moved
    FROM (SELECT account, sum(amount) AS moved FROM legs GROUP BY account) AS s WHERE a.id = s.account;
$$;
`;

/** A database beside those of the services, on the same server, and what it does without anything in front of it. */
export class DatabaseBaseline {
  private readonly bench: Bench;
  private readonly accounts: number;
  private readonly url: string;
  private runs = 0;

  private constructor(bench: Bench, accounts: number) {
    this.bench = bench;
    this.accounts = accounts;
    const url = new URL(bench.stack.postgres);
    url.pathname = `/${DATABASE}`;
    this.url = url.toString();
  }

  static async create(bench: Bench, accounts: number): Promise<DatabaseBaseline> {
    await onServer(bench.stack.postgres, async (admin) => {
      await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
      await admin.query(`CREATE DATABASE ${DATABASE}`);
    });
    const baseline = new DatabaseBaseline(bench, accounts);
    await onServer(baseline.url, async (database) => {
      await database.query(SCHEMA);
      await database.query('INSERT INTO accounts (id) SELECT generate_series(1, $1::bigint)', [accounts]);
      await database.query('VACUUM ANALYZE');
    });
    return baseline;
  }

  /** One transfer a transaction, by one SQL function, from so many connections. */
  async transfer(connections: number, hot: boolean): Promise<LoadResult> {
    return await this.run(connections, { statement: 'transfer', hot, transfersPerStatement: 1 });
  }

  /** Many transfers a transaction, set-based, from one connection. */
  async transfers(transfersPerStatement: number, hot: boolean): Promise<LoadResult> {
    return await this.run(1, { statement: 'transfers', hot, transfersPerStatement });
  }

  /** One row by its key, from so many connections: as often as it goes, or so many a second. */
  async select(connections: number, startsPerSecond?: number): Promise<LoadResult> {
    return await this.run(connections, { statement: 'select', hot: false, transfersPerStatement: 1 }, startsPerSecond);
  }

  async drop(): Promise<void> {
    await onServer(this.bench.stack.postgres, async (admin) => {
      await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    });
  }

  private async run(
    clients: number,
    what: Pick<DatabaseStatement, 'statement' | 'hot' | 'transfersPerStatement'>,
    startsPerSecond?: number,
  ): Promise<LoadResult> {
    this.runs += 1;
    const settings: DatabaseStatement = {
      ...what,
      url: this.url,
      accounts: this.accounts,
      referencePrefix: `${String(this.runs)}-`,
    };
    const pace = startsPerSecond === undefined ? {} : { startsPerSecond };
    return await this.bench.load({ module: MODULE, settings, clients, ...pace });
  }
}

export const onServer = async (url: string, work: (client: pg.Client) => Promise<void>): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
};
