import type { Tx } from '@payflow/postgres';

import type { SeenReference } from '../domain/decide-postings.js';
import type { Direction } from '../domain/journal.js';
import { numberArray, textArray, timeText } from './arrays.js';

/** The end of the journal. Who has one holds its lock. */
export interface JournalHead {
  readonly position: bigint;
  /** When what is committed behind it counts as recorded: never before what is there, whatever the clock does. */
  readonly recordedAt: Date;
}

/** Locks the end of the journal until the transaction ends, so that batches are committed one after the other. */
export const lockJournalHead = async (tx: Tx): Promise<JournalHead> => {
  const [head] = await tx.query<{ position: bigint; recorded_at: Date }>(
    `SELECT position, GREATEST(recorded_at, date_trunc('milliseconds', clock_timestamp())) AS recorded_at
       FROM journal_head FOR UPDATE`,
  );
  if (head === undefined) throw new Error('invariant: the journal has no head');
  return { position: head.position, recordedAt: head.recorded_at };
};

/** Moves the head on by the transactions of a batch. */
export const advanceJournalHead = async (tx: Tx, { recordedAt }: JournalHead, count: number): Promise<void> => {
  const moved = await tx.execute('UPDATE journal_head SET position = position + $1, recorded_at = $2', [
    count,
    recordedAt,
  ]);
  if (moved !== 1) throw new Error('invariant: the journal has no head');
};

/** Which of the references are in the journal, with what their transactions say. */
export const findReferences = async (
  sql: Pick<Tx, 'query'>,
  references: readonly string[],
): Promise<ReadonlyMap<string, SeenReference>> => {
  const rows = await sql.query<{ reference: string; id: string; content_hash: string }>(
    `SELECT reference, id, encode(content_hash, 'hex') AS content_hash FROM transactions WHERE reference = ANY($1)`,
    [textArray(references, (reference) => reference)],
  );
  return new Map(rows.map((row) => [row.reference, { transactionId: row.id, contentHash: row.content_hash }] as const));
};

export interface TransactionInsert {
  readonly position: bigint;
  readonly transactionId: string;
  readonly reference: string;
  readonly contentHash: string;
  readonly type: string;
  readonly effectiveAt: Date;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly eventId: string | null;
  readonly acquirerReference: string | null;
  readonly reverts: string | null;
  readonly postedBy: string | null;
  readonly correlationId: string | null;
  readonly metadata: string;
}

export const insertTransactions = async (
  tx: Tx,
  rows: readonly TransactionInsert[],
  recordedAt: Date,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO transactions (position, id, reference, content_hash, type, effective_at, payment_id, merchant_id, event_id,
                               acquirer_reference, reverts, posted_by, correlation_id, metadata, recorded_at)
     SELECT n.position, n.id, n.reference, decode(n.content_hash, 'hex'), n.type, n.effective_at, n.payment_id, n.merchant_id,
            n.event_id, n.acquirer_reference, n.reverts, n.posted_by, n.correlation_id, n.metadata::jsonb, $15
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
                   $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
         AS n (position, id, reference, content_hash, type, effective_at, payment_id, merchant_id,
               event_id, acquirer_reference, reverts, posted_by, correlation_id, metadata)`,
    [
      numberArray(rows, (row) => row.position),
      textArray(rows, (row) => row.transactionId),
      textArray(rows, (row) => row.reference),
      textArray(rows, (row) => row.contentHash),
      textArray(rows, (row) => row.type),
      textArray(rows, (row) => timeText(row.effectiveAt)),
      textArray(rows, (row) => row.paymentId),
      textArray(rows, (row) => row.merchantId),
      textArray(rows, (row) => row.eventId),
      textArray(rows, (row) => row.acquirerReference),
      textArray(rows, (row) => row.reverts),
      textArray(rows, (row) => row.postedBy),
      textArray(rows, (row) => row.correlationId),
      textArray(rows, (row) => row.metadata),
      recordedAt,
    ],
  );
};

export interface EntryInsert {
  readonly entryId: string;
  readonly position: bigint;
  readonly line: number;
  readonly accountSeq: bigint;
  readonly direction: Direction;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly balanceAfterMinor: bigint;
  readonly entryType: string;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
}

/** All entries of a batch in one statement: the trigger entries_sound sees each transaction whole. */
export const insertEntries = async (tx: Tx, rows: readonly EntryInsert[], recordedAt: Date): Promise<void> => {
  await tx.execute(
    `INSERT INTO entries (id, position, line, account, direction, amount, currency, balance_after, entry_type, payment_id,
                          merchant_id, recorded_at)
     SELECT n.id, n.position, n.line, n.account, n.direction, n.amount, n.currency, n.balance_after, n.entry_type,
            n.payment_id, COALESCE(n.merchant_id, a.merchant_id), $12
       FROM unnest($1::text[], $2::bigint[], $3::int[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::bigint[],
                   $9::text[], $10::text[], $11::text[])
         AS n (id, position, line, account, direction, amount, currency, balance_after, entry_type, payment_id, merchant_id)
       JOIN accounts a ON a.seq = n.account`,
    [
      textArray(rows, (row) => row.entryId),
      numberArray(rows, (row) => row.position),
      numberArray(rows, (row) => row.line),
      numberArray(rows, (row) => row.accountSeq),
      textArray(rows, (row) => row.direction),
      numberArray(rows, (row) => row.amountMinor),
      textArray(rows, (row) => row.currency),
      numberArray(rows, (row) => row.balanceAfterMinor),
      textArray(rows, (row) => row.entryType),
      textArray(rows, (row) => row.paymentId),
      textArray(rows, (row) => row.merchantId),
      recordedAt,
    ],
  );
};

export interface BalanceUpdate {
  readonly accountSeq: bigint;
  readonly balanceMinor: bigint;
  readonly entriesAdded: number;
}

/** The cached balances: one row for each account, however many entries the batch has for it. */
export const updateBalances = async (tx: Tx, updates: readonly BalanceUpdate[]): Promise<void> => {
  const updated = await tx.execute(
    `UPDATE accounts a
        SET balance = n.balance, entry_count = a.entry_count + n.added
       FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS n (seq, balance, added)
      WHERE a.seq = n.seq`,
    [
      numberArray(updates, ({ accountSeq }) => accountSeq),
      numberArray(updates, ({ balanceMinor }) => balanceMinor),
      numberArray(updates, ({ entriesAdded }) => entriesAdded),
    ],
  );
  if (updated !== updates.length) throw new Error(`invariant: ${updates.length} balances changed, ${updated} written`);
};
