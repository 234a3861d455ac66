import type { FeeTerms } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

/** What was agreed with a merchant for a currency; undefined when nothing was. */
export const findFeeTerms = async (sql: Sql, merchantId: string, currency: string): Promise<FeeTerms | undefined> => {
  const [row] = await sql.query<{ basis_points: number; fixed_minor: bigint }>(
    'SELECT basis_points, fixed_minor FROM merchant_fee_terms WHERE merchant_id = $1 AND currency = $2',
    [merchantId, currency],
  );
  return row && { basisPoints: row.basis_points, fixedMinor: row.fixed_minor };
};

export const listFeeTerms = async (
  sql: Sql,
  merchantId: string,
): Promise<readonly (FeeTerms & { readonly currency: string })[]> => {
  const rows = await sql.query<{ currency: string; basis_points: number; fixed_minor: bigint }>(
    'SELECT currency, basis_points, fixed_minor FROM merchant_fee_terms WHERE merchant_id = $1 ORDER BY currency',
    [merchantId],
  );
  return rows.map((row) => ({ currency: row.currency, basisPoints: row.basis_points, fixedMinor: row.fixed_minor }));
};

/** They hold for captures from now on; captures already made keep the fee they were charged. */
export const storeFeeTerms = async (
  tx: Tx,
  merchantId: string,
  currency: string,
  terms: FeeTerms,
  changed: { readonly at: Date; readonly by: string },
): Promise<void> => {
  await tx.execute(
    `INSERT INTO merchant_fee_terms (merchant_id, currency, basis_points, fixed_minor, changed_at, changed_by)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (merchant_id, currency) DO UPDATE SET basis_points = excluded.basis_points,
       fixed_minor = excluded.fixed_minor, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
    [merchantId, currency, terms.basisPoints, terms.fixedMinor, changed.at, changed.by],
  );
};
