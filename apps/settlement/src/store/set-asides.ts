import type { Tx } from '@payflow/postgres';

import type { BalanceKey } from './merchant-balances.js';

/** One more failure of a merchant in a currency whom this run could not close. @returns how many there were */
export const setAside = async (
  tx: Tx,
  runId: string,
  { merchantId, currency }: BalanceKey,
  reason: string,
): Promise<number> => {
  const [row] = await tx.query<{ failures: number }>(
    `INSERT INTO settlement_set_asides AS a (run_id, merchant_id, currency, reason) VALUES ($1, $2, $3, $4)
     ON CONFLICT (run_id, merchant_id, currency) DO UPDATE SET failures = a.failures + 1, reason = excluded.reason
     RETURNING failures`,
    [runId, merchantId, currency, reason],
  );
  if (row === undefined) throw new Error('invariant: what was set aside is stored');
  return row.failures;
};

/** Whom this run has set aside, behind its cursor, in order. */
export const listSetAside = async (
  tx: Tx,
  run: { readonly id: string; readonly cursor: readonly string[] },
  limit: number,
): Promise<readonly BalanceKey[]> => {
  const [merchantId = '', currency = ''] = run.cursor;
  return await tx.query<BalanceKey>(
    `SELECT merchant_id AS "merchantId", currency FROM settlement_set_asides
      WHERE run_id = $1 AND (merchant_id, currency) > ($2, $3) ORDER BY merchant_id, currency LIMIT $4`,
    [run.id, merchantId, currency, limit],
  );
};

/** They are closed: nothing of them is open in any run. */
export const endSetAsides = async (tx: Tx, keys: readonly BalanceKey[]): Promise<void> => {
  await tx.execute(
    `DELETE FROM settlement_set_asides WHERE (merchant_id, currency) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    [keys.map(({ merchantId }) => merchantId), keys.map(({ currency }) => currency)],
  );
};
