import type { WhenFraudIsDown } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { FraudPolicy } from '../domain/judgement.js';

/** What was set for a merchant; undefined when nothing was. */
export const findFraudPolicy = async (sql: Sql, merchantId: string): Promise<FraudPolicy | undefined> => {
  const [row] = await sql.query<{ when_down: WhenFraudIsDown; amount_max_minor: bigint }>(
    'SELECT when_down, amount_max_minor FROM merchant_fraud_policies WHERE merchant_id = $1',
    [merchantId],
  );
  return row && { whenDown: row.when_down, amountMaxMinor: row.amount_max_minor };
};

/** It holds for payments from now on. */
export const storeFraudPolicy = async (
  tx: Tx,
  merchantId: string,
  { whenDown, amountMaxMinor }: FraudPolicy,
  changed: { readonly at: Date; readonly by: string },
): Promise<void> => {
  await tx.execute(
    `INSERT INTO merchant_fraud_policies (merchant_id, when_down, amount_max_minor, changed_at, changed_by)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (merchant_id) DO UPDATE SET when_down = excluded.when_down,
       amount_max_minor = excluded.amount_max_minor, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
    [merchantId, whenDown, amountMaxMinor, changed.at, changed.by],
  );
};
