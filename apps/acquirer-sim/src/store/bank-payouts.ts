import type { Sql, Tx } from '@payflow/postgres';

import type { BankName, PayoutState, PayoutStatus } from '../domain/bank.js';

/** What was asked: a row of `bank_payouts`. */
export interface NewPayout {
  readonly bank: BankName;
  readonly reference: string;
  readonly bankReference: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Null: a tombstone. */
  readonly account: string | null;
  readonly name: string | null;
  readonly requestHash: Buffer | null;
  readonly createdAt: Date;
}

/** A payout as it stands, or stood at this position of the feed. */
export interface PayoutRow extends NewPayout {
  readonly status: PayoutStatus;
  readonly reason: string | null;
  readonly position: bigint;
  readonly updatedAt: Date;
}

const COLUMNS = `p.bank, p.reference, p.bank_reference AS "bankReference", p.amount_minor AS "amountMinor", p.currency,
  p.account, p.name, p.request_hash AS "requestHash", p.created_at AS "createdAt", s.status, s.reason, s.position,
  s.created_at AS "updatedAt"`;

/**
 * One at a time writes at this bank, until the transaction ends: whoever reads the feed up to a position has seen all that
 * will ever stand before it.
 */
export const lockBank = async (tx: Tx, bank: BankName): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`bank ${bank}`]);
};

export const findPayout = async (sql: Sql, bank: BankName, reference: string): Promise<PayoutRow | undefined> => {
  const [row] = await sql.query<PayoutRow>(
    `SELECT ${COLUMNS} FROM bank_payouts p JOIN bank_payout_states s USING (bank, reference)
     WHERE p.bank = $1 AND p.reference = $2 ORDER BY s.position DESC LIMIT 1`,
    [bank, reference],
  );
  return row;
};

export const insertPayout = async (tx: Tx, payout: NewPayout): Promise<void> => {
  await tx.execute(
    `INSERT INTO bank_payouts (bank, reference, bank_reference, amount_minor, currency, account, name, request_hash, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      payout.bank,
      payout.reference,
      payout.bankReference,
      payout.amountMinor,
      payout.currency,
      payout.account,
      payout.name,
      payout.requestHash,
      payout.createdAt,
    ],
  );
};

/** What the bank says from now on. The caller holds the lock of the bank. */
export const insertPayoutState = async (
  tx: Tx,
  bank: BankName,
  reference: string,
  { status, reason }: PayoutState,
  at: Date,
): Promise<void> => {
  await tx.execute(
    'INSERT INTO bank_payout_states (bank, reference, status, reason, created_at) VALUES ($1, $2, $3, $4, $5)',
    [bank, reference, status, reason, at],
  );
};

export const insertBookLine = async (
  tx: Tx,
  { bank, reference }: { readonly bank: BankName; readonly reference: string },
  kind: BookLineRow['kind'],
  at: Date,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO bank_book (bank, reference, kind, account, name, amount_minor, currency, created_at)
     SELECT bank, reference, $3, account, name, amount_minor, currency, $4 FROM bank_payouts WHERE bank = $1 AND reference = $2`,
    [bank, reference, kind, at],
  );
};

/** How payouts changed, in order. */
export const listPayoutChanges = async (sql: Sql, bank: BankName, after: number, limit: number): Promise<PayoutRow[]> =>
  await sql.query<PayoutRow>(
    `SELECT ${COLUMNS} FROM bank_payout_states s JOIN bank_payouts p USING (bank, reference)
     WHERE s.bank = $1 AND s.position > $2 ORDER BY s.position LIMIT $3`,
    [bank, after, limit],
  );

export interface BookLineRow {
  readonly position: bigint;
  readonly reference: string;
  readonly kind: 'CREDIT' | 'RETURN';
  readonly account: string;
  readonly name: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly createdAt: Date;
}

/** Newest first. */
export const listBankBook = async (
  sql: Sql,
  bank: BankName,
  filter: { readonly reference?: string | undefined; readonly account?: string | undefined },
  before: number | undefined,
  limit: number,
): Promise<BookLineRow[]> =>
  await sql.query<BookLineRow>(
    `SELECT position, reference, kind, account, name, amount_minor AS "amountMinor", currency, created_at AS "createdAt"
     FROM bank_book
     WHERE bank = $1 AND ($2::text IS NULL OR reference = $2) AND ($3::text IS NULL OR account = $3)
       AND ($4::bigint IS NULL OR position < $4)
     ORDER BY position DESC LIMIT $5`,
    [bank, filter.reference ?? null, filter.account ?? null, before ?? null, limit],
  );

export interface DueState extends PayoutState {
  readonly bank: BankName;
  readonly reference: string;
}

export const insertDueState = async (tx: Tx, due: DueState, dueAt: Date): Promise<void> => {
  await tx.execute(
    'INSERT INTO due_bank_states (bank, reference, due_at, status, reason) VALUES ($1, $2, $3, $4, $5)',
    [due.bank, due.reference, dueAt, due.status, due.reason],
  );
};

/** @returns whether the timer was still set: whoever takes it away decides */
export const deleteDueState = async (tx: Tx, bank: BankName, reference: string): Promise<boolean> =>
  (await tx.execute('DELETE FROM due_bank_states WHERE bank = $1 AND reference = $2', [bank, reference])) === 1;

/** What is due, the longest overdue first. */
export const listDueStates = async (sql: Sql, at: Date, limit: number): Promise<DueState[]> =>
  await sql.query<DueState>(
    'SELECT bank, reference, status, reason FROM due_bank_states WHERE due_at <= $1 ORDER BY due_at LIMIT $2',
    [at, limit],
  );

/** When the next one is due. */
export const nextStateDueAt = async (sql: Sql): Promise<Date | null> => {
  const [row] = await sql.query<{ at: Date | null }>('SELECT min(due_at) AS at FROM due_bank_states');
  return row?.at ?? null;
};
