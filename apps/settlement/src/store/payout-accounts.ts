import type { Sql, Tx } from '@payflow/postgres';

/** A row of `payout_accounts`. */
export interface PayoutAccountRow {
  readonly merchantId: string;
  readonly masked: string;
  readonly version: bigint;
  readonly updatedAt: Date;
}

const COLUMNS = 'merchant_id AS "merchantId", masked, version, updated_at AS "updatedAt"';

export const findPayoutAccount = async (sql: Sql, merchantId: string): Promise<PayoutAccountRow | undefined> => {
  const [row] = await sql.query<PayoutAccountRow>(`SELECT ${COLUMNS} FROM payout_accounts WHERE merchant_id = $1`, [
    merchantId,
  ]);
  return row;
};

/** @param expected the version that the caller has read; the answer is undefined when it is another now */
export const storePayoutAccount = async (
  tx: Tx,
  account: {
    readonly merchantId: string;
    readonly sealed: Buffer;
    readonly masked: string;
    readonly updatedBy: string;
  },
  expected: number | undefined,
): Promise<PayoutAccountRow | undefined> => {
  const [row] = await tx.query<PayoutAccountRow>(
    `INSERT INTO payout_accounts AS a (merchant_id, sealed, masked, updated_by) SELECT $1::text, $2::bytea, $3::text, $4::text
      WHERE $5::bigint IS NULL OR EXISTS (SELECT FROM payout_accounts WHERE merchant_id = $1)
     ON CONFLICT (merchant_id) DO UPDATE
        SET sealed = excluded.sealed, masked = excluded.masked, updated_by = excluded.updated_by, version = a.version + 1,
            updated_at = now()
      WHERE $5::bigint IS NULL OR a.version = $5
  RETURNING ${COLUMNS}`,
    [account.merchantId, account.sealed, account.masked, account.updatedBy, expected ?? null],
  );
  return row;
};

/** Payouts that wait for their merchant's account take it over as it is now. @returns those for whom there is one */
export const takeOverAccounts = async (
  tx: Pick<Sql, 'query'>,
  payoutIds: readonly string[],
): Promise<ReadonlySet<string>> => {
  const rows = await tx.query<{ id: string }>(
    `UPDATE payouts p SET account_sealed = a.sealed, account_masked = a.masked
       FROM payout_accounts a
      WHERE p.id = ANY ($1::text[]) AND p.stage = 'WAITING' AND a.merchant_id = p.merchant_id
  RETURNING p.id`,
    [payoutIds],
  );
  return new Set(rows.map(({ id }) => id));
};
