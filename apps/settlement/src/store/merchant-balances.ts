import { WALLET_MERCHANT_ID } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A merchant in a currency: what is counted, settled and paid out together. */
export interface BalanceKey {
  readonly merchantId: string;
  readonly currency: string;
}

export const keyOf = ({ merchantId, currency }: BalanceKey): string => `${merchantId} ${currency}`;

export interface BalanceChange extends BalanceKey {
  readonly pendingMinor?: bigint;
  readonly availableMinor?: bigint;
  readonly reservedMinor?: bigint;
}

export interface BalanceRow extends BalanceKey {
  readonly pendingMinor: bigint;
  readonly availableMinor: bigint;
  readonly reservedMinor: bigint;
}

const COLUMNS = `merchant_id AS "merchantId", currency, pending_minor AS "pendingMinor", available_minor AS "availableMinor",
  reserved_minor AS "reservedMinor"`;

/** Adds to balances, in the order in which everybody locks them. PayFlow's own merchant has none. */
export const changeBalances = async (tx: Tx, changes: readonly BalanceChange[]): Promise<void> => {
  const own = changes.filter(({ merchantId }) => merchantId !== WALLET_MERCHANT_ID);
  if (own.length === 0) return;
  await tx.execute(
    `INSERT INTO merchant_balances AS b (merchant_id, currency, pending_minor, available_minor, reserved_minor)
     SELECT merchant_id, currency, sum(pending)::bigint, sum(available)::bigint, sum(reserved)::bigint
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
         AS v (merchant_id, currency, pending, available, reserved)
      GROUP BY merchant_id, currency ORDER BY merchant_id COLLATE "C", currency COLLATE "C"
     ON CONFLICT (merchant_id, currency) DO UPDATE
        SET pending_minor = b.pending_minor + excluded.pending_minor,
            available_minor = b.available_minor + excluded.available_minor,
            reserved_minor = b.reserved_minor + excluded.reserved_minor`,
    [
      own.map(({ merchantId }) => merchantId),
      own.map(({ currency }) => currency),
      own.map(({ pendingMinor }) => pendingMinor ?? 0n),
      own.map(({ availableMinor }) => availableMinor ?? 0n),
      own.map(({ reservedMinor }) => reservedMinor ?? 0n),
    ],
  );
};

/** Locked until the transaction ends. */
export const lockBalances = async (tx: Tx, keys: readonly BalanceKey[]): Promise<readonly BalanceRow[]> =>
  await tx.query<BalanceRow>(
    `SELECT ${COLUMNS} FROM merchant_balances
      WHERE (merchant_id, currency) IN (SELECT * FROM unnest($1::text[], $2::text[]))
      ORDER BY merchant_id, currency FOR NO KEY UPDATE`,
    [keys.map(({ merchantId }) => merchantId), keys.map(({ currency }) => currency)],
  );

/** Those of them who owe more than they have. */
export const listInDebt = async (sql: Sql, keys: readonly BalanceKey[]): Promise<readonly BalanceKey[]> =>
  await sql.query<BalanceKey>(
    `SELECT merchant_id AS "merchantId", currency FROM merchant_balances
      WHERE available_minor < 0 AND (merchant_id, currency) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    [keys.map(({ merchantId }) => merchantId), keys.map(({ currency }) => currency)],
  );

export const listBalances = async (sql: Sql, merchantId: string): Promise<readonly BalanceRow[]> =>
  await sql.query<BalanceRow>(`SELECT ${COLUMNS} FROM merchant_balances WHERE merchant_id = $1 ORDER BY currency`, [
    merchantId,
  ]);
