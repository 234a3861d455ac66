import type { Sql } from '@payflow/postgres';

import type { PaymentLine } from '../domain/payment-lines.js';
import { type AccountScope, inScope, scopeParameters } from './account-rows.js';

/** A row of the view ledger_entries: an entry with its account and its transaction. */
export interface EntryRow {
  readonly id: string;
  readonly transaction_id: string;
  readonly position: bigint;
  readonly line: number;
  readonly account_id: string;
  readonly account: string;
  readonly entry_type: string;
  readonly direction: 'debit' | 'credit';
  readonly amount: bigint;
  readonly currency: string;
  readonly balance_after: bigint;
  readonly payment_id: string | null;
  readonly merchant_id: string | null;
  readonly created_at: Date;
}

const ENTRY_COLUMNS = `id, transaction_id, position, line, account_id, account, entry_type, direction, amount, currency,
       balance_after, payment_id, merchant_id, created_at`;

/** Where a page of entries ended, in journal order. */
export interface EntryPlace {
  readonly recordedAt: Date;
  readonly position: bigint;
  readonly line: number;
}

export interface EntryFilter {
  /** Only entries of these accounts; null: of all. */
  readonly accountSeqs: readonly bigint[] | null;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly type: string | null;
  readonly from: Date | null;
  readonly to: Date | null;
  readonly before: EntryPlace | null;
  readonly limit: number;
}

/** Newest first. */
export const listEntries = async (sql: Sql, filter: EntryFilter): Promise<readonly EntryRow[]> => {
  const { accountSeqs, before } = filter;
  const parameters = [
    filter.paymentId,
    filter.merchantId,
    filter.type,
    filter.from,
    filter.to,
    before?.recordedAt ?? null,
    before?.position ?? null,
    before?.line ?? null,
    filter.limit,
  ];
  return accountSeqs === null
    ? await sql.query<EntryRow>(ENTRIES_SQL, parameters)
    : await sql.query<EntryRow>(ENTRIES_OF_ACCOUNTS_SQL, [...parameters, accountSeqs]);
};

/** Parameters that are null drop out: a statement is planned for the values it is sent with. */
const MATCHES = `($1::text IS NULL OR payment_id = $1)
   AND ($2::text IS NULL OR merchant_id = $2)
   AND ($3::text IS NULL OR entry_type = $3)
   AND ($4::timestamptz IS NULL OR recorded_at >= $4)
   AND ($5::timestamptz IS NULL OR recorded_at < $5)
   AND ($6::timestamptz IS NULL OR (recorded_at, position, line) < ($6, $7::bigint, $8::int))`;

const NEWEST_FIRST = 'recorded_at DESC, position DESC, line DESC';

/** The page is cut before anything is joined, so that it takes an index in journal order and reads no more than a page. */
const described = (page: string): string => `
WITH page AS (${page})
SELECT e.id, t.id AS transaction_id, e.position, e.line, a.id AS account_id, a.code AS account, e.entry_type, e.direction,
       e.amount, e.currency, e.balance_after, e.payment_id, e.merchant_id, e.recorded_at AS created_at
  FROM page e
  JOIN transactions t ON t.position = e.position
  JOIN accounts a ON a.seq = e.account
 ORDER BY e.recorded_at DESC, e.position DESC, e.line DESC`;

export const ENTRIES_SQL = described(`SELECT * FROM entries WHERE ${MATCHES} ORDER BY ${NEWEST_FIRST} LIMIT $9`);

/** A page of each account, merged: the entries of several accounts have no index in one order. */
export const ENTRIES_OF_ACCOUNTS_SQL = described(`
SELECT e.* FROM unnest($10::bigint[]) AS wanted (seq)
 CROSS JOIN LATERAL (
   SELECT * FROM entries WHERE account = wanted.seq AND ${MATCHES} ORDER BY ${NEWEST_FIRST} LIMIT $9) AS e
 ORDER BY ${NEWEST_FIRST} LIMIT $9`);

export interface TransactionRow {
  readonly position: bigint;
  readonly id: string;
  readonly reference: string;
  readonly type: string;
  readonly effective_at: Date;
  readonly recorded_at: Date;
  readonly payment_id: string | null;
  readonly merchant_id: string | null;
  readonly event_id: string | null;
  readonly acquirer_reference: string | null;
  readonly reverts: string | null;
  readonly reverted_by: string | null;
  readonly posted_by: string | null;
  readonly correlation_id: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export const findTransaction = async (sql: Sql, transactionId: string): Promise<TransactionRow | undefined> => {
  const [row] = await sql.query<TransactionRow>(
    `SELECT position, id, reference, type, effective_at, recorded_at, payment_id, merchant_id, event_id, acquirer_reference,
            reverts, (SELECT r.id FROM transactions r WHERE r.reverts = t.id) AS reverted_by, posted_by, correlation_id, metadata
       FROM transactions t
      WHERE id = $1`,
    [transactionId],
  );
  return row;
};

/** A transaction's legs in order: those on accounts in scope. */
export const findLegs = async (
  sql: Sql,
  transaction: Pick<TransactionRow, 'position' | 'recorded_at'>,
  scope: AccountScope,
): Promise<readonly EntryRow[]> =>
  await sql.query<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM ledger_entries
      WHERE created_at = $1 AND position = $2
        AND ${inScope(3, { merchantId: 'account_merchant_id', code: 'account' })}
      ORDER BY line`,
    [transaction.recorded_at, transaction.position, ...scopeParameters(scope)],
  );

/**
 * A payment's lines, oldest first: one for each posting, by its credit leg. `asOf` looks at when a thing happened, not at
 * when the ledger heard of it, so that lines and payment as of one time fit together.
 *
 * Only what the payment's own events posted, so that the answer for a sequence never changes: `payment` keeps it. Whatever
 * else was posted about the payment (by another service, under its id) is in the journal under the payment's id.
 */
export const findPaymentLines = async (
  sql: Sql,
  paymentId: string,
  upToSequence: number,
  asOf: Date | null,
): Promise<readonly PaymentLine[]> => {
  const rows = await sql.query<{
    id: string;
    transaction_id: string;
    entry_type: string;
    amount: bigint;
    recorded_at: Date;
  }>(
    `SELECT e.id, t.id AS transaction_id, e.entry_type, e.amount, e.recorded_at
       FROM entries e
       JOIN transactions t ON t.position = e.position
      WHERE e.payment_id = $1 AND e.direction = 'credit' AND ($2::timestamptz IS NULL OR t.effective_at <= $2)
        AND t.event_id IS NOT NULL AND split_part(t.reference, ':', 4)::bigint <= $3
      ORDER BY e.recorded_at, e.position, e.line`,
    [paymentId, asOf, upToSequence],
  );
  return rows.map((row) => ({
    entryId: row.id,
    transactionId: row.transaction_id,
    type: row.entry_type,
    amountMinor: row.amount,
    createdAt: row.recorded_at,
  }));
};

export interface PostedBefore {
  readonly recordedAt: Date;
  /** Of each account it touched, right behind it. */
  readonly balances: readonly { readonly code: string; readonly balanceMinor: bigint }[];
}

/** What these transactions left behind, by their ids. */
export const findBalancesBehind = async (
  sql: Sql,
  transactionIds: readonly string[],
): Promise<ReadonlyMap<string, PostedBefore>> => {
  const rows = await sql.query<{
    id: string;
    recorded_at: Date;
    code: string;
    balance_after: bigint;
  }>(
    // In the order of the first legs, each account as its last leg left it.
    `SELECT t.id, t.recorded_at, a.code, e.balance_after
       FROM unnest($1::text[]) AS wanted (id)
      CROSS JOIN LATERAL (SELECT * FROM transactions WHERE id = wanted.id LIMIT 1) AS t
      CROSS JOIN LATERAL (
        SELECT account, min(line) AS first, (array_agg(balance_after ORDER BY line DESC))[1] AS balance_after
          FROM entries WHERE recorded_at = t.recorded_at AND position = t.position
         GROUP BY account OFFSET 0) AS e
      CROSS JOIN LATERAL (SELECT code FROM accounts WHERE seq = e.account LIMIT 1) AS a
      ORDER BY t.position, e.first`,
    [[...new Set(transactionIds)]],
  );
  const found = new Map<string, { readonly recordedAt: Date; readonly balances: PostedBefore['balances'][number][] }>();
  for (const row of rows) {
    const posted = found.get(row.id) ?? { recordedAt: row.recorded_at, balances: [] };
    posted.balances.push({ code: row.code, balanceMinor: row.balance_after });
    found.set(row.id, posted);
  }
  return found;
};

export interface CurrencyTotals {
  readonly currency: string;
  readonly debitsMinor: bigint;
  readonly creditsMinor: bigint;
  readonly accounts: number;
}

/** Every entry, summed by currency, in one snapshot. */
export const sumEntries = async (
  sql: Sql,
): Promise<{ readonly asOf: Date; readonly currencies: readonly CurrencyTotals[] }> => {
  const rows = await sql.query<{
    as_of: Date;
    currency: string | null;
    debits: string;
    credits: string;
    accounts: bigint;
  }>(
    `SELECT now() AS as_of, totals.*
       FROM (SELECT 1) AS always
       LEFT JOIN (
         SELECT currency, sum(debits)::text AS debits, sum(credits)::text AS credits, count(*) AS accounts
           FROM (SELECT account, currency,
                        COALESCE(sum(amount) FILTER (WHERE direction = 'debit'), 0) AS debits,
                        COALESCE(sum(amount) FILTER (WHERE direction = 'credit'), 0) AS credits
                   FROM entries GROUP BY account, currency) AS by_account
          GROUP BY currency) AS totals ON true
      ORDER BY currency`,
  );
  const [first] = rows;
  if (first === undefined) throw new Error('invariant: a left join of one row answers');
  return {
    asOf: first.as_of,
    currencies: rows.flatMap(({ currency, debits, credits, accounts }) =>
      currency === null
        ? []
        : [{ currency, debitsMinor: BigInt(debits), creditsMinor: BigInt(credits), accounts: Number(accounts) }],
    ),
  };
};
