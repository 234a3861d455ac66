import type { Tx } from '@payflow/postgres';

import type { SeenReference } from '../domain/decide-postings.js';
import type { Direction } from '../domain/journal.js';
import { numberArray, textArray, timeText } from './arrays.js';

/** An end of the journal. */
export interface JournalHead {
  readonly position: bigint;
  /** Made anew by each batch that posts, so that no two histories have the same one. */
  readonly batch: string;
}

/** Locks the end of the journal until the transaction ends, so that batches are committed one after the other. */
export const lockJournalHead = async (tx: Tx): Promise<JournalHead> => {
  const [head] = await tx.query<JournalHead>('SELECT position, batch FROM journal_head FOR UPDATE');
  if (head === undefined) throw new Error('invariant: the journal has no head');
  return head;
};

/** The same for one who knows where the end must be, and has something to write only if it is there. */
export const lockExpectedHead = async (tx: Tx, expected: JournalHead): Promise<void> => {
  const [head] = await tx.query<Pick<JournalHead, 'batch'>>('SELECT batch FROM journal_head FOR UPDATE');
  if (head?.batch !== expected.batch) throw new Error('the journal went on from elsewhere');
};

/**
 * Moves the head on; its lock is held. recorded_at never goes back, whatever the clock does.
 *
 * Fails when the head is not where it was thought to be: the table's own check refuses the position −1, and since a failed
 * statement stops those that were sent behind it, nothing is written for nothing.
 *
 * @returns when what is written behind it is recorded
 */
export const advanceJournalHead = async (tx: Tx, from: JournalHead, to: JournalHead): Promise<Date> => {
  const [head] = await tx.query<{ recorded_at: Date }>(
    `UPDATE journal_head
        SET position = CASE WHEN position = $1 AND batch = $2 THEN $3::bigint ELSE -1 END, batch = $4,
            recorded_at = GREATEST(recorded_at, date_trunc('milliseconds', clock_timestamp()))
     RETURNING recorded_at`,
    [from.position, from.batch, to.position, to.batch],
  );
  if (head === undefined) throw new Error('invariant: the journal has no head');
  return head.recorded_at;
};

/** Which of the references are in the journal, with what their transactions say. */
export const findReferences = async (
  sql: Pick<Tx, 'query'>,
  references: readonly string[],
): Promise<ReadonlyMap<string, SeenReference>> => {
  const rows = await sql.query<{ reference: string; id: string; content_hash: string }>(
    // A look-up each, by the index: as one condition it is a scan of the table in plans made while that was empty, and a
    // session keeps its plans.
    `SELECT t.reference, t.id, encode(t.content_hash, 'hex') AS content_hash
       FROM unnest($1::text[]) AS wanted (reference)
      CROSS JOIN LATERAL (SELECT * FROM transactions WHERE reference = wanted.reference LIMIT 1) AS t`,
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
  /** Null: when it is recorded. */
  readonly effectiveAt: Date | null;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly eventId: string | null;
  readonly acquirerReference: string | null;
  readonly reverts: string | null;
  readonly postedBy: string | null;
  readonly correlationId: string | null;
  readonly metadata: string;
}

/** Behind the head, which tells when they are recorded. */
export const insertTransactions = async (tx: Tx, rows: readonly TransactionInsert[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO transactions (position, id, reference, content_hash, type, effective_at, payment_id, merchant_id, event_id,
                               acquirer_reference, reverts, posted_by, correlation_id, metadata, recorded_at)
     SELECT n.position, n.id, n.reference, decode(n.content_hash, 'hex'), n.type,
            COALESCE(n.effective_at, h.recorded_at), n.payment_id, n.merchant_id, n.event_id, n.acquirer_reference, n.reverts,
            n.posted_by, n.correlation_id, n.metadata::jsonb, h.recorded_at
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
                   $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
         AS n (position, id, reference, content_hash, type, effective_at, payment_id, merchant_id,
               event_id, acquirer_reference, reverts, posted_by, correlation_id, metadata)
      CROSS JOIN journal_head h`,
    [
      numberArray(rows, (row) => row.position),
      textArray(rows, (row) => row.transactionId),
      textArray(rows, (row) => row.reference),
      textArray(rows, (row) => row.contentHash),
      textArray(rows, (row) => row.type),
      textArray(rows, ({ effectiveAt }) => (effectiveAt === null ? null : timeText(effectiveAt))),
      textArray(rows, (row) => row.paymentId),
      textArray(rows, (row) => row.merchantId),
      textArray(rows, (row) => row.eventId),
      textArray(rows, (row) => row.acquirerReference),
      textArray(rows, (row) => row.reverts),
      textArray(rows, (row) => row.postedBy),
      textArray(rows, (row) => row.correlationId),
      textArray(rows, (row) => row.metadata),
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
export const insertEntries = async (tx: Tx, rows: readonly EntryInsert[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO entries (id, position, line, account, direction, amount, currency, balance_after, entry_type, payment_id,
                          merchant_id, recorded_at)
     SELECT n.id, n.position, n.line, n.account, n.direction, n.amount, n.currency, n.balance_after, n.entry_type,
            n.payment_id, COALESCE(n.merchant_id, (SELECT a.merchant_id FROM accounts a WHERE a.seq = n.account)), h.recorded_at
       FROM unnest($1::text[], $2::bigint[], $3::int[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::bigint[],
                   $9::text[], $10::text[], $11::text[])
         AS n (id, position, line, account, direction, amount, currency, balance_after, entry_type, payment_id, merchant_id)
      CROSS JOIN journal_head h`,
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
