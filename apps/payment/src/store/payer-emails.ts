import type { Sql, Tx } from '@payflow/postgres';

/*
 * What a merchant told of the payer with an intent. It is no part of the payment: nobody can change its history, and what
 * identifies a person must not stay for longer than somebody needs it.
 */

export const rememberPayerEmail = async (tx: Tx, paymentId: string, email: string): Promise<void> => {
  await tx.execute('INSERT INTO payer_emails (payment_id, email) VALUES ($1, $2)', [paymentId, email]);
};

export const findPayerEmail = async (sql: Sql, paymentId: string): Promise<string | null> => {
  const [row] = await sql.query<{ email: string }>('SELECT email FROM payer_emails WHERE payment_id = $1', [paymentId]);
  return row?.email ?? null;
};

/** Once the payment can no longer be authorized. */
export const forgetPayerEmail = async (tx: Tx, paymentId: string): Promise<void> => {
  await tx.execute('DELETE FROM payer_emails WHERE payment_id = $1', [paymentId]);
};
