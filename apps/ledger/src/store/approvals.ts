import type { LedgerApprovalStatus, PostTransactionsRequest } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

export interface ApprovalRow {
  readonly id: string;
  readonly kind: 'posting' | 'reversal';
  readonly status: LedgerApprovalStatus;
  readonly request: Pick<PostTransactionsRequest, 'transactions'> | null;
  readonly reverts: string | null;
  readonly correlation_id: string | null;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly expires_at: Date;
  readonly decided_by: string | null;
  readonly decided_at: Date | null;
  readonly reason: string | null;
  readonly transaction_ids: readonly string[];
}

/** One that still waits when its time is over has expired. */
const COLUMNS = `id, kind, CASE WHEN status = 'WAITING' AND expires_at <= now() THEN 'EXPIRED' ELSE status END AS status,
  request, reverts, correlation_id, requested_by, requested_at, expires_at, decided_by, decided_at, reason, transaction_ids`;

export const insertApproval = async (
  tx: Tx,
  approval: Pick<ApprovalRow, 'id' | 'kind' | 'request' | 'reverts' | 'correlation_id' | 'requested_by'>,
  lifetimeSeconds: number,
): Promise<ApprovalRow> => {
  const [row] = await tx.query<ApprovalRow>(
    `INSERT INTO ledger_approvals (id, kind, request, reverts, correlation_id, requested_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7)) RETURNING ${COLUMNS}`,
    [
      approval.id,
      approval.kind,
      approval.request && JSON.stringify(approval.request),
      approval.reverts,
      approval.correlation_id,
      approval.requested_by,
      lifetimeSeconds,
    ],
  );
  if (row === undefined) throw new Error('invariant: an insert returns its row');
  return row;
};

export const findApproval = async (sql: Sql, approvalId: string): Promise<ApprovalRow | undefined> => {
  const [row] = await sql.query<ApprovalRow>(`SELECT ${COLUMNS} FROM ledger_approvals WHERE id = $1`, [approvalId]);
  return row;
};

/** Two who decide at once decide one after the other. */
export const lockApproval = async (tx: Tx, approvalId: string): Promise<ApprovalRow | undefined> => {
  const [row] = await tx.query<ApprovalRow>(`SELECT ${COLUMNS} FROM ledger_approvals WHERE id = $1 FOR UPDATE`, [
    approvalId,
  ]);
  return row;
};

export const decideApproval = async (
  tx: Tx,
  approvalId: string,
  decision: {
    readonly status: 'APPROVED' | 'REFUSED';
    readonly decidedBy: string;
    readonly reason: string | null;
    readonly transactionIds: readonly string[];
  },
): Promise<ApprovalRow> => {
  const [row] = await tx.query<ApprovalRow>(
    `UPDATE ledger_approvals SET status = $2, decided_by = $3, decided_at = clock_timestamp(), reason = $4, transaction_ids = $5
      WHERE id = $1 RETURNING ${COLUMNS}`,
    [approvalId, decision.status, decision.decidedBy, decision.reason, decision.transactionIds],
  );
  if (row === undefined) throw new Error('invariant: a locked approval is there');
  return row;
};

/** Newest first: ids sort by time. */
export const listApprovals = async (
  sql: Sql,
  query: { readonly before: string | null; readonly status: LedgerApprovalStatus | null; readonly rowsMax: number },
): Promise<readonly ApprovalRow[]> =>
  await sql.query<ApprovalRow>(
    `SELECT ${COLUMNS} FROM ledger_approvals
      WHERE ($1::text IS NULL OR id < $1)
        AND ($2::text IS NULL
          OR status = CASE $2 WHEN 'EXPIRED' THEN 'WAITING' ELSE $2 END
             AND ($2 <> 'EXPIRED' OR expires_at <= now()) AND ($2 <> 'WAITING' OR expires_at > now()))
      ORDER BY id DESC LIMIT $3`,
    [query.before, query.status, query.rowsMax],
  );
