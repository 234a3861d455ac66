import type { Sql } from '@payflow/postgres';

import { currenciesOutOfBalance, type Leg } from '../../apps/ledger/src/domain/invariants.js';
import type { Finding, Invariant } from './invariant.ts';

/**
 * Invariant 1. Everything is read in one snapshot of the ledger's database, in which no batch is half committed: what
 * differs there is wrong, and no grace is needed. Postgres sums and compares; only what is wrong travels.
 */
export const balancedJournal: Invariant = {
  number: 1,
  title: 'Debits equal credits',
  why: 'Money that appears or disappears in the books is nobody’s, and nobody can say whose.',
  async *check({ ledger, compared, progress }) {
    const { findings, counts } = await ledger.snapshot(async (sql) => {
      const found: Finding[] = [];
      for (const [name, look] of Object.entries(LOOKS)) {
        progress(name);
        found.push(...(await look(sql)));
      }
      return { findings: found, counts: await countsOf(sql) };
    });
    compared('transactions', counts.transactions);
    compared('entries', counts.entries);
    compared('accounts', counts.accounts);
    yield* findings;
  },
};

const FINDINGS_MAX = 1_000;
const SIGNED = `CASE direction WHEN 'credit' THEN amount ELSE -amount END`;

const LOOKS = {
  'sums of each transaction': async (sql: Sql): Promise<readonly Finding[]> => {
    const rows = await sql.query<{ position: bigint }>(
      `SELECT DISTINCT position FROM (
         SELECT position FROM entries GROUP BY position, currency HAVING sum(${SIGNED}) <> 0 LIMIT ${FINDINGS_MAX}) AS wrong`,
    );
    const found: Finding[] = [];
    for (const { position } of rows) {
      const { id, legs } = await transactionAt(sql, position);
      const currencies = currenciesOutOfBalance(legs).join(', ');
      found.push({
        problem: `debits and credits differ in ${currencies}`,
        ids: { transaction: id ?? 'none', position: String(position) },
      });
    }
    return found;
  },

  'sums of the journal': async (sql: Sql): Promise<readonly Finding[]> => {
    const rows = await sql.query<{ currency: string; difference: string }>(
      `SELECT currency, sum(${SIGNED})::text AS difference FROM entries GROUP BY currency HAVING sum(${SIGNED}) <> 0`,
    );
    return rows.map(({ currency, difference }) => ({
      problem: `credits less debits of the whole journal are ${difference}`,
      ids: { currency },
    }));
  },

  'entries beside their transactions and accounts': async (sql: Sql): Promise<readonly Finding[]> => {
    const rows = await sql.query<{ id: string; position: bigint }>(
      `SELECT e.id, e.position FROM entries e
         LEFT JOIN transactions t ON t.position = e.position AND t.recorded_at = e.recorded_at
              AND t.payment_id IS NOT DISTINCT FROM e.payment_id
         LEFT JOIN accounts a ON a.seq = e.account AND a.currency = e.currency
        WHERE t.position IS NULL OR a.seq IS NULL LIMIT ${FINDINGS_MAX}`,
    );
    return rows.map(({ id, position }) => ({
      problem: 'the entry does not fit a transaction and an account of its currency',
      ids: { entry: id, position: String(position) },
    }));
  },

  'transactions beside their entries': async (sql: Sql): Promise<readonly Finding[]> => {
    const rows = await sql.query<{ id: string }>(
      `SELECT t.id FROM transactions t
         LEFT JOIN (SELECT position, count(*) AS lines, min(line) AS first, max(line) AS last FROM entries GROUP BY position) AS e
           ON e.position = t.position
        WHERE e.lines IS NULL OR e.lines % 2 <> 0 OR e.first <> 1 OR e.last <> e.lines LIMIT ${FINDINGS_MAX}`,
    );
    return rows.map(({ id }) => ({ problem: 'lines of the transaction are missing', ids: { transaction: id } }));
  },

  'positions of the journal': async (sql: Sql): Promise<readonly Finding[]> => {
    const rows = await sql.query<{ missing: bigint }>(
      `SELECT position - 1 AS missing
         FROM (SELECT position, lag(position, 1, 0::bigint) OVER (ORDER BY position) AS before FROM transactions) AS walk
        WHERE position <> before + 1
       UNION ALL
       SELECT h.position FROM journal_head h WHERE h.position <> (SELECT coalesce(max(position), 0) FROM transactions)
        LIMIT ${FINDINGS_MAX}`,
    );
    return rows.map(({ missing }) => ({
      problem: 'the journal has no transaction at this position',
      ids: { position: String(missing) },
    }));
  },

  'balances after each entry': async (sql: Sql): Promise<readonly Finding[]> => {
    const rows = await sql.query<{ id: string; code: string; expected: string; balance_after: bigint }>(
      `SELECT e.id, a.code, e.expected::text, e.balance_after
         FROM (SELECT id, account, balance_after, recorded_at, position, line,
                      ${SIGNED} + lag(balance_after, 1, 0::bigint)
                        OVER (PARTITION BY account ORDER BY recorded_at, position, line) AS expected
                 FROM entries) AS e
         LEFT JOIN accounts a ON a.seq = e.account
        WHERE e.balance_after <> e.expected
        ORDER BY e.recorded_at, e.position, e.line LIMIT ${FINDINGS_MAX}`,
    );
    return rows.map(({ id, code, expected, balance_after }) => ({
      problem: `the balance after it is ${balance_after}, by the entry before it would be ${expected}`,
      ids: { entry: id, account: code },
    }));
  },

  'balances of the accounts': async (sql: Sql): Promise<readonly Finding[]> => {
    const rows = await sql.query<{ id: string; code: string; balance: bigint; expected: string }>(
      `SELECT a.id, a.code, a.balance, coalesce(e.balance, 0)::text AS expected
         FROM accounts a
         LEFT JOIN (SELECT account, sum(${SIGNED}) AS balance, count(*) AS entries FROM entries GROUP BY account) AS e
           ON e.account = a.seq
        WHERE a.balance <> coalesce(e.balance, 0) OR a.entry_count <> coalesce(e.entries, 0) LIMIT ${FINDINGS_MAX}`,
    );
    return rows.map(({ id, code, balance, expected }) => ({
      problem: `the balance is ${balance}, its entries sum to ${expected}`,
      ids: { account: id, code },
    }));
  },
} as const satisfies Readonly<Record<string, (sql: Sql) => Promise<readonly Finding[]>>>;

const transactionAt = async (
  sql: Sql,
  position: bigint,
): Promise<{ readonly id: string | undefined; readonly legs: readonly Leg[] }> => {
  const [transaction] = await sql.query<{ id: string }>('SELECT id FROM transactions WHERE position = $1', [position]);
  const legs = await sql.query<Leg>(
    `SELECT account::text, currency, direction, amount AS "amountMinor", balance_after AS "balanceAfterMinor"
       FROM entries WHERE position = $1 ORDER BY line`,
    [position],
  );
  return { id: transaction?.id, legs };
};

const countsOf = async (sql: Sql) => {
  const [row] = await sql.query<{ transactions: number; entries: number; accounts: number }>(
    `SELECT (SELECT count(*) FROM transactions)::int AS transactions, (SELECT count(*) FROM entries)::int AS entries,
            (SELECT count(*) FROM accounts)::int AS accounts`,
  );
  return row ?? { transactions: 0, entries: 0, accounts: 0 };
};
