import type { Sql, Tx } from '@payflow/postgres';

export interface Merchant {
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'BLOCKED';
  readonly createdAt: Date;
}

const COLUMNS = 'id, name, status, created_at AS "createdAt"';

export const findMerchant = async (sql: Sql, id: string): Promise<Merchant | undefined> =>
  (await sql.query<Merchant>(`SELECT ${COLUMNS} FROM merchants WHERE id = $1`, [id]))[0];

/** Held against every other change of it, its members and its keys until the transaction ends. */
export const lockMerchant = async (tx: Tx, id: string): Promise<Merchant | undefined> =>
  (await tx.query<Merchant>(`SELECT ${COLUMNS} FROM merchants WHERE id = $1 FOR NO KEY UPDATE`, [id]))[0];

/** The newest first. `before`: the id of the last one shown. */
export const listMerchants = async (
  sql: Sql,
  filter: { readonly status: string | undefined },
  before: string | undefined,
  limit: number,
): Promise<readonly (Merchant & { readonly publishableKey: string | null })[]> =>
  await sql.query<Merchant & { readonly publishableKey: string | null }>(
    `SELECT ${COLUMNS},
            (SELECT key FROM publishable_keys
              WHERE merchant_id = merchants.id AND disabled_at IS NULL ORDER BY created_at DESC LIMIT 1) AS "publishableKey"
       FROM merchants
      WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR id < $2)
      ORDER BY id DESC LIMIT $3`,
    [filter.status ?? null, before ?? null, limit],
  );

/** @returns whether the merchant is new */
export const insertMerchant = async (tx: Tx, merchant: Omit<Merchant, 'status'>): Promise<boolean> =>
  (await tx.execute('INSERT INTO merchants (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING', [
    merchant.id,
    merchant.name,
    merchant.createdAt,
  ])) === 1;

export const setMerchantName = async (tx: Tx, id: string, name: string): Promise<void> => {
  await tx.execute('UPDATE merchants SET name = $2 WHERE id = $1', [id, name]);
};

export const setMerchantStatus = async (tx: Tx, id: string, status: Merchant['status']): Promise<void> => {
  await tx.execute('UPDATE merchants SET status = $2 WHERE id = $1', [id, status]);
};
