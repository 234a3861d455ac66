import type { LeafEntry, LeafTransaction } from '@payflow/ledger-proof';
import type { Sql } from '@payflow/postgres';

/** In `LeafTransaction`'s own names, so that a row is one but for its entries. */
interface TransactionRow extends Omit<LeafTransaction, 'entries' | 'metadata'> {
  readonly metadata: Readonly<Record<string, string>> | null;
}

/**
 * The transactions behind a position as their leaves hold them, in the journal's order, at most `limit`. Numbers and times come as
 * text: nothing is rounded on the way.
 */
export const readLeafTransactions = async (
  sql: Sql,
  behind: bigint,
  limit: number,
): Promise<readonly LeafTransaction[]> => {
  const bounds = [behind, behind + BigInt(limit)];
  const [transactions, entries] = await Promise.all([
    sql.query<TransactionRow>(TRANSACTIONS_SQL, bounds),
    sql.query<LeafEntry & { readonly position: string }>(ENTRIES_SQL, bounds),
  ]);
  const entriesAt = new Map<string, LeafEntry[]>();
  for (const entry of entries) {
    const legs = entriesAt.get(entry.position);
    if (legs === undefined) entriesAt.set(entry.position, [entry]);
    else legs.push(entry);
  }
  return transactions.map((row) => ({
    ...row,
    metadata: row.metadata ?? {},
    entries: entriesAt.get(row.position) ?? [],
  }));
};

const microseconds = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;

const TRANSACTIONS_SQL = `
SELECT position::text, id, reference, encode(content_hash, 'hex') AS "contentHash", type,
       ${microseconds('effective_at')} AS "effectiveAtUs", ${microseconds('recorded_at')} AS "recordedAtUs",
       payment_id AS "paymentId", merchant_id AS "merchantId", event_id AS "eventId",
       acquirer_reference AS "acquirerReference", reverts, posted_by AS "postedBy", correlation_id AS "correlationId",
       NULLIF(metadata, '{}') AS metadata
  FROM transactions t
 WHERE t.position > $1 AND t.position <= $2
 ORDER BY t.position`;

/** By the key of entries, which begins with the time: one that was moved to another is not found, and its leaf is another. */
const ENTRIES_SQL = `
SELECT e.position::text, e.id, e.line::text, a.id AS "accountId", a.code AS account, e.direction, e.amount::text, e.currency,
       e.balance_after::text AS "balanceAfter", e.entry_type AS type, e.payment_id AS "paymentId",
       e.merchant_id AS "merchantId"
  FROM transactions t
  JOIN entries e ON e.recorded_at = t.recorded_at AND e.position = t.position
  JOIN accounts a ON a.seq = e.account
 WHERE t.position > $1 AND t.position <= $2
 ORDER BY e.position, e.line`;
