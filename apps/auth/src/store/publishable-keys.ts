import type { Sql, Tx } from '@payflow/postgres';

/** @returns whether the key is new */
export const insertPublishableKey = async (tx: Tx, key: string, merchantId: string): Promise<boolean> =>
  (await tx.execute('INSERT INTO publishable_keys (key, merchant_id) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING', [
    key,
    merchantId,
  ])) === 1;

/** The newest one that is not disabled. */
export const publishableKeyOf = async (sql: Sql, merchantId: string): Promise<string | undefined> =>
  (
    await sql.query<{ key: string }>(
      `SELECT key FROM publishable_keys WHERE merchant_id = $1 AND disabled_at IS NULL ORDER BY created_at DESC LIMIT 1`,
      [merchantId],
    )
  )[0]?.key;

/** Whose page it is; undefined for a key that is unknown or disabled, or whose merchant is blocked. */
export const findMerchantByPublishableKey = async (sql: Sql, key: string): Promise<string | undefined> =>
  (
    await sql.query<{ merchantId: string }>(
      `SELECT merchant.id AS "merchantId"
         FROM publishable_keys JOIN merchants merchant ON merchant.id = publishable_keys.merchant_id
        WHERE publishable_keys.key = $1 AND publishable_keys.disabled_at IS NULL AND merchant.status <> 'BLOCKED'`,
      [key],
    )
  )[0]?.merchantId;
