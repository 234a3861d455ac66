import type { AuditAction } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** Who did what to what. In the transaction of the deed, so that there is never one without the other. */
export interface AuditEntry {
  /** The principal, or `system` at the start of the service. */
  readonly actor: string;
  readonly action: AuditAction;
  readonly target: string;
  readonly requestId: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

export const appendAudit = async (tx: Tx, entry: AuditEntry): Promise<void> => {
  await tx.execute('INSERT INTO audit_log (actor, action, target, request_id, details) VALUES ($1, $2, $3, $4, $5)', [
    entry.actor,
    entry.action,
    entry.target,
    entry.requestId,
    JSON.stringify(entry.details ?? {}),
  ]);
};

export interface LoggedDeed {
  readonly position: bigint;
  readonly occurredAt: Date;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly requestId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditFilter {
  readonly actor: string | undefined;
  readonly target: string | undefined;
  readonly action: string | undefined;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
}

/** The newest first. `before`: the position of the last one shown. */
export const listAuditLog = async (
  sql: Sql,
  filter: AuditFilter,
  before: bigint | undefined,
  limit: number,
): Promise<readonly LoggedDeed[]> =>
  await sql.query<LoggedDeed>(
    `SELECT position, occurred_at AS "occurredAt", actor, action, target, request_id AS "requestId", details
       FROM audit_log
      WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR target = $2) AND ($3::text IS NULL OR action = $3)
        AND ($4::timestamptz IS NULL OR occurred_at >= $4) AND ($5::timestamptz IS NULL OR occurred_at < $5)
        AND ($6::bigint IS NULL OR position < $6)
      ORDER BY position DESC LIMIT $7`,
    [
      filter.actor ?? null,
      filter.target ?? null,
      filter.action ?? null,
      filter.from ?? null,
      filter.to ?? null,
      before ?? null,
      limit,
    ],
  );
