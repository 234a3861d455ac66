import type { Sql, Tx } from '@payflow/postgres';

/** A card number is about to be read and sent. */
export interface ForwardRow {
  readonly forwardId: string;
  readonly tokenId: string;
  readonly attemptId: string;
  readonly merchantId: string;
  readonly acquirer: string;
  readonly path: string;
  /** The service that asked for it. */
  readonly caller: string;
  readonly startedAt: Date;
}

export const insertForward = async (tx: Tx, forward: ForwardRow): Promise<void> => {
  await tx.execute(
    `INSERT INTO forwards (forward_id, token_id, attempt_id, merchant_id, acquirer, path, caller, started_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      forward.forwardId,
      forward.tokenId,
      forward.attemptId,
      forward.merchantId,
      forward.acquirer,
      forward.path,
      forward.caller,
      forward.startedAt,
    ],
  );
};

/** Whether the attempt was sent before, or was about to be. */
export const wasForwarded = async (sql: Sql, tokenId: string, attemptId: string): Promise<boolean> => {
  const [row] = await sql.query<{ found: boolean }>(
    'SELECT EXISTS (SELECT FROM forwards WHERE token_id = $1 AND attempt_id = $2) AS found',
    [tokenId, attemptId],
  );
  return row?.found ?? false;
};
