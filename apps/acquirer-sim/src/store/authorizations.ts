import type { CardBehaviour } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { Authorization } from '../domain/authorization.js';

/** A row of `authorizations`, with what its operation says of parties and card. */
export interface AuthorizationRow extends Authorization {
  readonly authorizationId: string;
  readonly paymentId: string;
  readonly merchantId: string;
  readonly cardBin: string | null;
  readonly cardLast4: string | null;
  readonly cardBehaviour: CardBehaviour | null;
}

/** Of an operation that is approved later than it was answered. */
export const insertAuthorization = async (
  tx: Tx,
  authorization: {
    readonly acquirer: AcquirerName;
    readonly authorizationId: string;
    readonly reference: string;
    readonly amountMinor: bigint;
    readonly currency: string;
  },
): Promise<void> => {
  await tx.execute(
    `INSERT INTO authorizations (acquirer, authorization_id, reference, amount_minor, currency)
     VALUES ($1, $2, $3, $4, $5)`,
    [
      authorization.acquirer,
      authorization.authorizationId,
      authorization.reference,
      authorization.amountMinor,
      authorization.currency,
    ],
  );
};

/** The authorization, locked until the transaction ends: its captures, voids and refunds come one after the other. */
export const lockAuthorization = async (
  tx: Tx,
  acquirer: AcquirerName,
  authorizationId: string,
): Promise<AuthorizationRow | undefined> => {
  const [row] = await tx.query<AuthorizationRow>(
    `SELECT a.authorization_id AS "authorizationId", a.amount_minor AS "amountMinor", a.currency,
       a.captured_minor AS "capturedMinor", a.refunded_minor AS "refundedMinor", a.closed,
       o.payment_id AS "paymentId", o.merchant_id AS "merchantId", o.card_bin AS "cardBin", o.card_last4 AS "cardLast4",
       o.card_behaviour AS "cardBehaviour"
     FROM authorizations a JOIN operations o USING (acquirer, reference)
     WHERE a.acquirer = $1 AND a.authorization_id = $2
     FOR UPDATE OF a`,
    [acquirer, authorizationId],
  );
  return row;
};

export const updateAuthorization = async (
  tx: Tx,
  acquirer: AcquirerName,
  authorizationId: string,
  next: Authorization,
): Promise<void> => {
  await tx.execute(
    `UPDATE authorizations SET captured_minor = $3, refunded_minor = $4, closed = $5
     WHERE acquirer = $1 AND authorization_id = $2`,
    [acquirer, authorizationId, next.capturedMinor, next.refundedMinor, next.closed],
  );
};

/** The payment that an authorization is for. */
export const paymentOfAuthorization = async (
  sql: Sql,
  acquirer: AcquirerName,
  authorizationId: string,
): Promise<string | undefined> => {
  const [row] = await sql.query<{ paymentId: string }>(
    `SELECT o.payment_id AS "paymentId"
     FROM authorizations a JOIN operations o USING (acquirer, reference)
     WHERE a.acquirer = $1 AND a.authorization_id = $2`,
    [acquirer, authorizationId],
  );
  return row?.paymentId;
};
