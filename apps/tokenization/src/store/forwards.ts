import type { Sql, Tx } from '@payflow/postgres';

/** A card number is about to be read and sent. */
export interface ForwardRow {
  readonly forwardId: string;
  readonly tokenId: string;
  readonly paymentId: string;
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
    `INSERT INTO forwards (forward_id, token_id, payment_id, attempt_id, merchant_id, acquirer, path, caller, started_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      forward.forwardId,
      forward.tokenId,
      forward.paymentId,
      forward.attemptId,
      forward.merchantId,
      forward.acquirer,
      forward.path,
      forward.caller,
      forward.startedAt,
    ],
  );
};

export const markNotSent = async (sql: Sql, forwardId: string): Promise<void> => {
  await sql.execute('UPDATE forwards SET not_sent = true WHERE forward_id = $1', [forwardId]);
};

/** Whether the attempt may have reached an acquirer: a forward of it is not known as not sent. */
export const mayHaveBeenSent = async (sql: Sql, tokenId: string, attemptId: string): Promise<boolean> => {
  const [row] = await sql.query<{ found: boolean }>(
    'SELECT EXISTS (SELECT FROM forwards WHERE token_id = $1 AND attempt_id = $2 AND NOT not_sent) AS found',
    [tokenId, attemptId],
  );
  return row?.found ?? false;
};
