import type { Sql, Tx } from '@payflow/postgres';

export interface PublishableKey {
  readonly key: string;
  readonly merchantId: string;
  readonly createdAt: Date;
  readonly disabledAt: Date | null;
}

const COLUMNS = 'key, merchant_id AS "merchantId", created_at AS "createdAt", disabled_at AS "disabledAt"';

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

/** All of a merchant's, the newest first. */
export const publishableKeysOf = async (sql: Sql, merchantId: string): Promise<readonly PublishableKey[]> =>
  await sql.query<PublishableKey>(
    `SELECT ${COLUMNS} FROM publishable_keys WHERE merchant_id = $1 ORDER BY created_at DESC, key`,
    [merchantId],
  );

/** @returns the key as it is now; undefined when the merchant has no such key */
export const disablePublishableKey = async (
  tx: Tx,
  merchantId: string,
  key: string,
): Promise<PublishableKey | undefined> =>
  (
    await tx.query<PublishableKey>(
      `UPDATE publishable_keys SET disabled_at = COALESCE(disabled_at, now())
        WHERE merchant_id = $1 AND key = $2 RETURNING ${COLUMNS}`,
      [merchantId, key],
    )
  )[0];

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
