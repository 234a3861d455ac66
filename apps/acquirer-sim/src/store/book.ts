import type { AcquirerOperation, AdviceCode, BookLine } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { Authorization } from '../domain/authorization.js';

/** A row of `operations`. */
export interface OperationRow {
  readonly position: bigint;
  readonly acquirer: AcquirerName;
  readonly reference: string;
  readonly operation: AcquirerOperation['operation'];
  readonly outcome: AcquirerOperation['outcome'];
  readonly authorizationId: string | null;
  readonly paymentId: string;
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly cardBin: string;
  readonly cardLast4: string;
  readonly requestHash: Buffer;
  readonly declineCode: string | null;
  readonly adviceCode: AdviceCode | null;
  readonly message: string;
  readonly createdAt: Date;
}

/** A row of `authorizations`, with what its operation says of parties and card. */
export interface AuthorizationRow extends Authorization {
  readonly authorizationId: string;
  readonly paymentId: string;
  readonly merchantId: string;
  readonly cardBin: string;
  readonly cardLast4: string;
}

const OPERATION_COLUMNS = `
  position, acquirer, reference, operation, outcome, authorization_id AS "authorizationId", payment_id AS "paymentId",
  merchant_id AS "merchantId", amount_minor AS "amountMinor", currency, card_bin AS "cardBin", card_last4 AS "cardLast4",
  request_hash AS "requestHash", decline_code AS "declineCode", advice_code AS "adviceCode", message,
  created_at AS "createdAt"`;

export const findOperation = async (
  sql: Sql,
  acquirer: AcquirerName,
  reference: string,
): Promise<OperationRow | undefined> => {
  const [row] = await sql.query<OperationRow>(
    `SELECT ${OPERATION_COLUMNS} FROM operations WHERE acquirer = $1 AND reference = $2`,
    [acquirer, reference],
  );
  return row;
};

/**
 * Writes the operation, unless its reference is in the book. A twin that is still in its transaction is waited for.
 *
 * @returns whether it was written
 */
export const insertOperation = async (tx: Tx, operation: Omit<OperationRow, 'position'>): Promise<boolean> => {
  const inserted = await tx.execute(
    `INSERT INTO operations (acquirer, reference, operation, outcome, authorization_id, payment_id, merchant_id,
       amount_minor, currency, card_bin, card_last4, request_hash, decline_code, advice_code, message, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     ON CONFLICT (acquirer, reference) DO NOTHING`,
    [
      operation.acquirer,
      operation.reference,
      operation.operation,
      operation.outcome,
      operation.authorizationId,
      operation.paymentId,
      operation.merchantId,
      operation.amountMinor,
      operation.currency,
      operation.cardBin,
      operation.cardLast4,
      operation.requestHash,
      operation.declineCode,
      operation.adviceCode,
      operation.message,
      operation.createdAt,
    ],
  );
  return inserted === 1;
};

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
       o.payment_id AS "paymentId", o.merchant_id AS "merchantId", o.card_bin AS "cardBin", o.card_last4 AS "cardLast4"
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

export interface BookFilter {
  readonly paymentId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly reference?: string | undefined;
}

/** Newest first. */
export const listOperations = async (
  sql: Sql,
  acquirer: AcquirerName,
  filter: BookFilter,
  before: bigint | null,
  limit: number,
): Promise<OperationRow[]> =>
  await sql.query<OperationRow>(
    `SELECT ${OPERATION_COLUMNS} FROM operations
     WHERE acquirer = $1
       AND ($2::text IS NULL OR payment_id = $2)
       AND ($3::text IS NULL OR merchant_id = $3)
       AND ($4::text IS NULL OR reference = $4)
       AND ($5::bigint IS NULL OR position < $5)
     ORDER BY position DESC
     LIMIT $6`,
    [acquirer, filter.paymentId ?? null, filter.merchantId ?? null, filter.reference ?? null, before, limit],
  );

/** The row as its reference is answered, today and at every repetition. */
export const operationOf = (row: Omit<OperationRow, 'position'>): AcquirerOperation => ({
  reference: row.reference,
  operation: row.operation,
  outcome: row.outcome,
  authorizationId: row.authorizationId,
  amount: minorToJson(row.amountMinor),
  currency: row.currency,
  ...(row.declineCode === null ? {} : { declineCode: row.declineCode }),
  ...(row.adviceCode === null ? {} : { adviceCode: row.adviceCode }),
  message: row.message,
  createdAt: row.createdAt.toISOString(),
});

export const bookLineOf = (row: OperationRow): BookLine => ({
  ...operationOf(row),
  paymentId: row.paymentId,
  merchantId: row.merchantId,
  cardBin: row.cardBin,
  cardLast4: row.cardLast4,
});
