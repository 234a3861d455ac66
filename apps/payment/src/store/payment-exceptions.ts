import type { Sql, Tx } from '@payflow/postgres';

import type { ExceptionKind, PaymentException } from '../domain/exceptions.js';
import { Conditions, type ListPosition } from './conditions.js';

/** A row of `payment_exceptions`. */
export interface ExceptionRow {
  readonly id: string;
  /** Null where no payment of ours is known. */
  readonly payment_id: string | null;
  readonly merchant_id: string | null;
  readonly operation_id: string;
  readonly kind: ExceptionKind;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly resolved_at: Date | null;
  readonly resolved_by: string | null;
  readonly resolution: string | null;
}

const SELECTED = `id, payment_id, merchant_id, operation_id, kind, detail, created_at, resolved_at, resolved_by,
  resolution`;

/** Once for an operation and kind: told again, it is the same case. */
export const raiseException = async (
  tx: Tx,
  id: string,
  payment: { readonly paymentId: string; readonly merchantId: string } | null,
  { operationId, kind, detail }: PaymentException,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO payment_exceptions (id, payment_id, merchant_id, operation_id, kind, detail)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (operation_id, kind) DO NOTHING`,
    [id, payment?.paymentId ?? null, payment?.merchantId ?? null, operationId, kind, JSON.stringify(detail)],
  );
};

/** It has come to its end without people: what was stuck has ended, what could not be recorded is. */
export const endException = async (
  tx: Tx,
  { operationId, kind }: Pick<PaymentException, 'operationId' | 'kind'>,
  resolved: { readonly by: string; readonly resolution: string },
): Promise<void> => {
  await tx.execute(
    `UPDATE payment_exceptions SET resolved_at = now(), resolved_by = $2, resolution = $3
      WHERE operation_id = $1 AND kind = $4 AND resolved_at IS NULL`,
    [operationId, resolved.by, resolved.resolution, kind],
  );
};

/** Undefined when it is not open. */
export const resolveException = async (
  tx: Tx,
  id: string,
  resolved: { readonly by: string; readonly resolution: string },
): Promise<ExceptionRow | undefined> =>
  (
    await tx.query<ExceptionRow>(
      `UPDATE payment_exceptions SET resolved_at = now(), resolved_by = $2, resolution = $3
        WHERE id = $1 AND resolved_at IS NULL RETURNING ${SELECTED}`,
      [id, resolved.by, resolved.resolution],
    )
  )[0];

export const exceptionExists = async (sql: Sql, id: string): Promise<boolean> =>
  (await sql.query('SELECT 1 FROM payment_exceptions WHERE id = $1', [id])).length === 1;

export interface ExceptionFilter {
  readonly open?: boolean | undefined;
  readonly kind?: ExceptionKind | undefined;
  readonly paymentId?: string | undefined;
}

/** Newest first. */
export const listExceptions = async (
  sql: Sql,
  filter: ExceptionFilter,
  after: ListPosition | undefined,
  limit: number,
): Promise<readonly ExceptionRow[]> => {
  const conditions = new Conditions()
    .add((p) => `(resolved_at IS NULL) = ${p}::boolean`, filter.open)
    .add((p) => `kind = ${p}`, filter.kind)
    .add((p) => `payment_id = ${p}`, filter.paymentId)
    .behind(after);
  return await sql.query<ExceptionRow>(
    `SELECT ${SELECTED} FROM payment_exceptions ${conditions.where}
      ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.parameters,
  );
};
