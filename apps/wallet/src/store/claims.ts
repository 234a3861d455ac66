import type { Sql, Tx } from '@payflow/postgres';

import type { Channel } from './owners.js';

/** Money that waits for somebody to show that an address is his. */
export interface ClaimRow {
  readonly transactionId: string;
  readonly channel: Channel;
  readonly address: string;
  /**
   * OPENING: on its way to `wallet:claims`. OPEN: it waits there. PAYING, RETURNING: decided, perhaps not posted yet. FAILED:
   * it never got there.
   */
  readonly status: 'OPENING' | 'OPEN' | 'PAYING' | 'RETURNING' | 'PAID' | 'RETURNED' | 'FAILED';
  /** Why it goes back. */
  readonly reason: string | null;
  /** Whom it is paid to. */
  readonly toWalletId: string | null;
  readonly expiresAt: Date;
}

const COLUMNS = `
  transaction_id AS "transactionId", channel, address, status, reason, to_wallet_id AS "toWalletId",
  expires_at AS "expiresAt"`;

export const insertClaims = async (
  tx: Pick<Tx, 'execute'>,
  claims: readonly Pick<ClaimRow, 'transactionId' | 'channel' | 'address' | 'expiresAt'>[],
): Promise<void> => {
  if (claims.length === 0) return;
  await tx.execute(
    `INSERT INTO wallet_claims (transaction_id, channel, address, status, expires_at)
     SELECT n.id, n.channel, n.address, 'OPENING', n.expires_at
       FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS n (id, channel, address, expires_at)`,
    [
      claims.map(({ transactionId }) => transactionId),
      claims.map(({ channel }) => channel),
      claims.map(({ address }) => address),
      claims.map(({ expiresAt }) => expiresAt),
    ],
  );
};

/** Their money has arrived at `wallet:claims`, or never will. */
export const settleOpeningClaims = async (
  tx: Pick<Tx, 'execute'>,
  settled: readonly { readonly transactionId: string; readonly opened: boolean }[],
): Promise<void> => {
  if (settled.length === 0) return;
  await tx.execute(
    `UPDATE wallet_claims c SET status = CASE WHEN n.opened THEN 'OPEN' ELSE 'FAILED' END
       FROM unnest($1::text[], $2::boolean[]) AS n (id, opened)
      WHERE c.transaction_id = n.id AND c.status = 'OPENING'`,
    [settled.map(({ transactionId }) => transactionId), settled.map(({ opened }) => opened)],
  );
};

export const findClaim = async (sql: Sql, transactionId: string): Promise<ClaimRow | undefined> => {
  const [row] = await sql.query<ClaimRow>(`SELECT ${COLUMNS} FROM wallet_claims WHERE transaction_id = $1`, [
    transactionId,
  ]);
  return row;
};

export const findClaims = async (sql: Sql, transactionIds: readonly string[]): Promise<ClaimRow[]> =>
  await sql.query<ClaimRow>(`SELECT ${COLUMNS} FROM wallet_claims WHERE transaction_id = ANY ($1::text[])`, [
    transactionIds,
  ]);

export const lockClaim = async (tx: Tx, transactionId: string): Promise<ClaimRow | undefined> => {
  const [row] = await tx.query<ClaimRow>(
    `SELECT ${COLUMNS} FROM wallet_claims WHERE transaction_id = $1 FOR NO KEY UPDATE`,
    [transactionId],
  );
  return row;
};

/** The claims that wait for an address, so that they are looked at now. */
export const openClaimsOf = async (sql: Sql, channel: Channel, address: string, limit: number): Promise<string[]> =>
  (
    await sql.query<{ readonly id: string }>(
      `SELECT transaction_id AS id FROM wallet_claims WHERE channel = $1 AND address = $2 AND status = 'OPEN' LIMIT $3`,
      [channel, address, limit],
    )
  ).map(({ id }) => id);

/** The row is locked. */
export const moveClaim = async (
  tx: Pick<Tx, 'execute'>,
  claim: Pick<ClaimRow, 'transactionId' | 'status' | 'reason' | 'toWalletId'>,
): Promise<void> => {
  await tx.execute('UPDATE wallet_claims SET status = $2, reason = $3, to_wallet_id = $4 WHERE transaction_id = $1', [
    claim.transactionId,
    claim.status,
    claim.reason,
    claim.toWalletId,
  ]);
};
