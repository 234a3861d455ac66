import type { Sql, Tx } from '@payflow/postgres';

import type { Hold } from '../domain/hold.js';

/** A row of `wallet_holds`, with the owner of its wallet. */
export interface HoldRow extends Hold {
  readonly id: string;
  readonly walletId: string;
  readonly ownerId: string;
  /** Why it FAILED. */
  readonly reason: string | null;
  readonly currency: string;
  readonly reference: string | null;
  readonly merchantId: string | null;
  readonly paymentId: string | null;
  /** The transaction of the confirmation that is under way, or was the last. */
  readonly stepTransactionId: string | null;
  readonly stepAmountMinor: bigint | null;
  readonly stepReleaseMinor: bigint | null;
  readonly requestedBy: string;
  /** The UTC day on whose limit it counts. */
  readonly spentOn: string | null;
  readonly version: bigint;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
}

const SELECT = `
  SELECT h.id, h.wallet_id AS "walletId", w.owner_id AS "ownerId", h.status, h.reason, h.amount_minor AS "amountMinor",
         h.confirmed_minor AS "confirmedMinor", h.released_minor AS "releasedMinor", h.currency, h.reference,
         h.merchant_id AS "merchantId", h.payment_id AS "paymentId", h.step,
         h.step_transaction_id AS "stepTransactionId", h.step_amount_minor AS "stepAmountMinor",
         h.step_release_minor AS "stepReleaseMinor", h.requested_by AS "requestedBy", h.spent_on::text AS "spentOn",
         h.expires_at AS "expiresAt", h.version, h.created_at AS "createdAt", h.completed_at AS "completedAt"
    FROM wallet_holds h JOIN wallets w ON w.id = h.wallet_id`;

export type NewHold = Pick<
  HoldRow,
  | 'id'
  | 'walletId'
  | 'amountMinor'
  | 'currency'
  | 'reference'
  | 'merchantId'
  | 'paymentId'
  | 'requestedBy'
  | 'spentOn'
  | 'expiresAt'
  | 'createdAt'
>;

/** PENDING until the ledger has set the money aside. */
export const insertHold = async (tx: Tx, hold: NewHold): Promise<void> => {
  await tx.execute(
    `INSERT INTO wallet_holds (id, wallet_id, status, step, amount_minor, currency, reference, merchant_id, payment_id,
                               requested_by, spent_on, expires_at, created_at)
     VALUES ($1, $2, 'PENDING', 'place', $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      hold.id,
      hold.walletId,
      hold.amountMinor,
      hold.currency,
      hold.reference,
      hold.merchantId,
      hold.paymentId,
      hold.requestedBy,
      hold.spentOn,
      hold.expiresAt,
      hold.createdAt,
    ],
  );
};

export const findHold = async (sql: Sql, holdId: string): Promise<HoldRow | undefined> => {
  const [row] = await sql.query<HoldRow>(`${SELECT} WHERE h.id = $1`, [holdId]);
  return row;
};

export const lockHold = async (tx: Tx, holdId: string): Promise<HoldRow | undefined> => {
  const [row] = await tx.query<HoldRow>(`${SELECT} WHERE h.id = $1 FOR NO KEY UPDATE OF h`, [holdId]);
  return row;
};

/** Newest first. */
export const listHolds = async (
  sql: Sql,
  walletId: string,
  before: string | undefined,
  limit: number,
): Promise<HoldRow[]> =>
  await sql.query<HoldRow>(
    `${SELECT} WHERE h.wallet_id = $1 AND ($2::text IS NULL OR h.id < $2) ORDER BY h.id DESC LIMIT $3`,
    [walletId, before ?? null, limit],
  );

/** What is done next with it; its row is locked. */
export const beginHoldStep = async (
  tx: Tx,
  holdId: string,
  step: {
    readonly step: 'confirm' | 'void' | 'expire';
    readonly transactionId: string | null;
    readonly amountMinor: bigint;
    readonly releaseMinor: bigint;
  },
): Promise<void> => {
  await tx.execute(
    `UPDATE wallet_holds SET step = $2, step_transaction_id = COALESCE($3, step_transaction_id), step_amount_minor = $4,
            step_release_minor = $5, version = version + 1
      WHERE id = $1`,
    [holdId, step.step, step.transactionId, step.amountMinor, step.releaseMinor],
  );
};

/** The step is done; the row is locked. */
export const endHoldStep = async (
  tx: Tx,
  end: Pick<HoldRow, 'id' | 'status' | 'reason' | 'confirmedMinor' | 'releasedMinor' | 'completedAt'>,
): Promise<void> => {
  await tx.execute(
    `UPDATE wallet_holds
        SET status = $2, reason = $3, confirmed_minor = $4, released_minor = $5, completed_at = $6, step = NULL,
            step_amount_minor = NULL, step_release_minor = NULL, version = version + 1
      WHERE id = $1`,
    [end.id, end.status, end.reason, end.confirmedMinor, end.releasedMinor, end.completedAt],
  );
};
