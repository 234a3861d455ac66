import type { Tx } from '@payflow/postgres';

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
