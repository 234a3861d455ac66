import type { Sql, Tx } from '@payflow/postgres';

export interface Merchant {
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'BLOCKED';
  readonly createdAt: Date;
}

export const findMerchant = async (sql: Sql, id: string): Promise<Merchant | undefined> =>
  (
    await sql.query<Merchant>('SELECT id, name, status, created_at AS "createdAt" FROM merchants WHERE id = $1', [id])
  )[0];

/** @returns whether the merchant is new */
export const insertMerchant = async (tx: Tx, merchant: Omit<Merchant, 'status'>): Promise<boolean> =>
  (await tx.execute('INSERT INTO merchants (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING', [
    merchant.id,
    merchant.name,
    merchant.createdAt,
  ])) === 1;
