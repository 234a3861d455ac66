import type { WalletExceptionView } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

/** A row of `wallet_exceptions`. */
export interface WalletExceptionRow {
  readonly id: string;
  readonly transactionId: string;
  readonly kind: WalletExceptionView['kind'];
  readonly detail: string;
  readonly createdAt: Date;
  readonly resolvedAt: Date | null;
  readonly resolvedBy: string | null;
  readonly resolution: string | null;
}

const COLUMNS = `
  id, transaction_id AS "transactionId", kind, detail, created_at AS "createdAt", resolved_at AS "resolvedAt",
  resolved_by AS "resolvedBy", resolution`;

/** Told again, it is the same case. */
export const raiseWalletException = async (
  sql: Sql,
  exception: Pick<WalletExceptionRow, 'transactionId' | 'kind' | 'detail'>,
): Promise<void> => {
  await sql.execute(
    `INSERT INTO wallet_exceptions (id, transaction_id, kind, detail) VALUES ($1, $2, $3, $4)
     ON CONFLICT (transaction_id, kind, detail) DO NOTHING`,
    [newId('wex'), exception.transactionId, exception.kind, exception.detail],
  );
};

/** What was stuck has ended by itself. */
export const endStuck = async (tx: Tx, transactionId: string, resolution: string): Promise<void> => {
  await tx.execute(
    `UPDATE wallet_exceptions SET resolved_at = now(), resolved_by = 'svc_wallet', resolution = $2
     WHERE transaction_id = $1 AND kind = 'stuck' AND resolved_at IS NULL`,
    [transactionId, resolution],
  );
};

/** Undefined when it is not open. */
export const resolveWalletException = async (
  tx: Tx,
  id: string,
  resolved: { readonly by: string; readonly resolution: string },
): Promise<WalletExceptionRow | undefined> => {
  const [row] = await tx.query<WalletExceptionRow>(
    `UPDATE wallet_exceptions SET resolved_at = now(), resolved_by = $2, resolution = $3
     WHERE id = $1 AND resolved_at IS NULL RETURNING ${COLUMNS}`,
    [id, resolved.by, resolved.resolution],
  );
  return row;
};

export const walletExceptionExists = async (sql: Sql, id: string): Promise<boolean> =>
  (await sql.query('SELECT FROM wallet_exceptions WHERE id = $1', [id])).length === 1;

/** Newest first, behind the one that ended the page before. */
export const listWalletExceptions = async (
  sql: Sql,
  filter: { readonly open?: boolean | undefined; readonly transactionId?: string | undefined },
  before: string | undefined,
  limit: number,
): Promise<WalletExceptionRow[]> =>
  await sql.query<WalletExceptionRow>(
    `SELECT ${COLUMNS} FROM wallet_exceptions
     WHERE ($1::boolean IS NULL OR (resolved_at IS NULL) = $1) AND ($2::text IS NULL OR transaction_id = $2)
       AND ($3::text IS NULL OR id < $3)
     ORDER BY id DESC LIMIT $4`,
    [filter.open ?? null, filter.transactionId ?? null, before ?? null, limit],
  );
