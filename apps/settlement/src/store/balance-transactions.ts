import { type BalanceTransactionType, WALLET_MERCHANT_ID } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { BalanceLine } from '../domain/balance-line.js';

/** A line of a payment's event, on its way into the books. */
export interface NewLine extends BalanceLine {
  readonly id: string;
  readonly merchantId: string;
  readonly currency: string;
  readonly paymentId: string;
  readonly sequence: number;
  readonly occurredAt: Date;
  readonly availableOn: Date;
}

/**
 * Stores lines and adds them to what is pending, in one statement for all of them. One that is there already changes nothing.
 * PayFlow's own merchant has no balance: what is paid to him is in people's wallets.
 */
export const insertLines = async (tx: Tx, lines: readonly NewLine[]): Promise<void> => {
  if (lines.length === 0) return;
  await tx.execute(
    `WITH inserted AS (
       INSERT INTO balance_transactions (id, merchant_id, currency, acquirer, type, gross_minor, fee_minor, payment_id, sequence,
                                         reference, acquirer_reference, occurred_at, available_on)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
                            $9::bigint[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[])
       ON CONFLICT (payment_id, sequence) DO NOTHING
       RETURNING merchant_id, currency, net_minor)
     INSERT INTO merchant_balances AS b (merchant_id, currency, pending_minor)
     SELECT merchant_id, currency, sum(net_minor)::bigint FROM inserted WHERE merchant_id <> $14
      GROUP BY merchant_id, currency ORDER BY merchant_id, currency
     ON CONFLICT (merchant_id, currency) DO UPDATE SET pending_minor = b.pending_minor + excluded.pending_minor`,
    [
      lines.map(({ id }) => id),
      lines.map(({ merchantId }) => merchantId),
      lines.map(({ currency }) => currency),
      lines.map(({ acquirer }) => acquirer),
      lines.map(({ type }) => type),
      lines.map(({ grossMinor }) => grossMinor),
      lines.map(({ feeMinor }) => feeMinor),
      lines.map(({ paymentId }) => paymentId),
      lines.map(({ sequence }) => sequence),
      lines.map(({ reference }) => reference),
      lines.map(({ acquirerReference }) => acquirerReference),
      lines.map(({ occurredAt }) => occurredAt),
      lines.map(({ availableOn }) => availableOn),
      WALLET_MERCHANT_ID,
    ],
  );
};

/** A movement within a balance, or out of it and back: of a payout or a reserve. No batch settles it. */
export interface NewMovement {
  readonly id: string;
  readonly merchantId: string;
  readonly currency: string;
  readonly type: BalanceTransactionType;
  readonly amountMinor: bigint;
  readonly settlementId: string | null;
  readonly payoutId: string | null;
}

/** The caller changes the balances. */
export const insertMovements = async (tx: Tx, movements: readonly NewMovement[]): Promise<void> => {
  if (movements.length === 0) return;
  await tx.execute(
    `INSERT INTO balance_transactions (id, merchant_id, currency, type, gross_minor, fee_minor, settlement_id, payout_id,
                                       occurred_at, available_on)
     SELECT id, merchant_id, currency, type, amount, 0, settlement_id, payout_id, now(), now()
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
         AS v (id, merchant_id, currency, type, amount, settlement_id, payout_id)`,
    [
      movements.map(({ id }) => id),
      movements.map(({ merchantId }) => merchantId),
      movements.map(({ currency }) => currency),
      movements.map(({ type }) => type),
      movements.map(({ amountMinor }) => amountMinor),
      movements.map(({ settlementId }) => settlementId),
      movements.map(({ payoutId }) => payoutId),
    ],
  );
};

/** A line that a batch takes in. */
export interface UnsettledLine {
  readonly id: string;
  readonly merchantId: string;
  readonly currency: string;
  readonly acquirer: string;
  readonly paymentId: string;
  readonly type: BalanceTransactionType;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly netMinor: bigint;
}

export interface ChunkBounds {
  readonly cutoffAt: Date;
  /** Merchant, currency, acquirer and payment of the last line before. Empty: from the beginning. */
  readonly cursor: readonly string[];
  readonly merchantId: string | null;
  readonly linesMax: number;
  /** Of one payment; the rest waits for the next run. */
  readonly linesOfPaymentMax: number;
}

/**
 * The next lines that no batch has, in the order of the index: at least so many while there are as many, and all lines of
 * the last payment. The cursor never comes back to a payment, so what arrives late is the next run's.
 */
export const listUnsettledLines = async (tx: Tx, bounds: ChunkBounds): Promise<readonly UnsettledLine[]> => {
  const [merchantId = bounds.merchantId ?? '', currency = '', acquirer = '', paymentId = ''] = bounds.cursor;
  const ofMerchant = bounds.merchantId === null ? '' : 'AND merchant_id = $8';
  return await tx.query<UnsettledLine>(
    `SELECT id, merchant_id AS "merchantId", currency, acquirer, payment_id AS "paymentId", type,
            gross_minor AS "grossMinor", fee_minor AS "feeMinor", net_minor AS "netMinor"
       FROM (SELECT *, row_number() OVER (PARTITION BY merchant_id, currency, acquirer, payment_id ORDER BY sequence) AS nth
               FROM (SELECT * FROM balance_transactions
                      WHERE settlement_id IS NULL AND acquirer IS NOT NULL AND available_on <= $1
                        AND (merchant_id, currency, acquirer, payment_id) > ($2, $3, $4, $5) ${ofMerchant}
                      ORDER BY merchant_id, currency, acquirer, payment_id
                      FETCH FIRST ($6::bigint) ROWS WITH TIES) AS next) AS counted
      WHERE nth <= $7
      ORDER BY merchant_id, currency, acquirer, payment_id, sequence`,
    [
      bounds.cutoffAt,
      merchantId,
      currency,
      acquirer,
      paymentId,
      bounds.linesMax,
      bounds.linesOfPaymentMax,
      ...(bounds.merchantId === null ? [] : [bounds.merchantId]),
    ],
  );
};

/** @throws when one of them is in a batch already: a line is in one for ever */
export const settleLines = async (
  tx: Tx,
  lines: readonly { readonly id: string; readonly settlementId: string }[],
): Promise<void> => {
  const settled = await tx.execute(
    `UPDATE balance_transactions b SET settlement_id = v.settlement_id
       FROM unnest($1::text[], $2::text[]) AS v (id, settlement_id)
      WHERE b.id = v.id AND b.settlement_id IS NULL`,
    [lines.map(({ id }) => id), lines.map(({ settlementId }) => settlementId)],
  );
  if (settled !== lines.length)
    throw new Error(`invariant: ${lines.length - settled} of ${lines.length} lines are in a batch already`);
};

export interface BalanceTransactionRow {
  readonly id: string;
  readonly type: BalanceTransactionType;
  readonly currency: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly netMinor: bigint;
  readonly paymentId: string | null;
  readonly reference: string | null;
  readonly acquirer: string | null;
  readonly settlementId: string | null;
  readonly payoutId: string | null;
  readonly occurredAt: Date;
  readonly availableOn: Date;
  readonly createdAt: Date;
}

const COLUMNS = `id, type, currency, gross_minor AS "grossMinor", fee_minor AS "feeMinor", net_minor AS "netMinor",
  payment_id AS "paymentId", reference, acquirer, settlement_id AS "settlementId", payout_id AS "payoutId",
  occurred_at AS "occurredAt", available_on AS "availableOn", created_at AS "createdAt"`;

export interface BalanceTransactionFilter {
  readonly merchantId: string;
  readonly currency: string | undefined;
  readonly type: string | undefined;
  readonly paymentId: string | undefined;
}

/** Newest first. */
export const listBalanceTransactions = async (
  sql: Sql,
  { merchantId, currency, type, paymentId }: BalanceTransactionFilter,
  before: string | undefined,
  limit: number,
): Promise<readonly BalanceTransactionRow[]> =>
  await sql.query<BalanceTransactionRow>(
    `SELECT ${COLUMNS} FROM balance_transactions
      WHERE merchant_id = $1 AND ($2::text IS NULL OR currency = $2) AND ($3::text IS NULL OR type = $3)
        AND ($4::text IS NULL OR payment_id = $4) AND ($5::text IS NULL OR id < $5)
      ORDER BY id DESC LIMIT $6`,
    [merchantId, currency ?? null, type ?? null, paymentId ?? null, before ?? null, limit],
  );

/** Those of a batch, newest first. */
export const listSettlementLines = async (
  sql: Sql,
  settlementId: string,
  before: string | undefined,
  limit: number,
): Promise<readonly BalanceTransactionRow[]> =>
  await sql.query<BalanceTransactionRow>(
    `SELECT ${COLUMNS} FROM balance_transactions
      WHERE settlement_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [settlementId, before ?? null, limit],
  );
