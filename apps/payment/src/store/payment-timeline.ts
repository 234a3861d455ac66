import type { Sql } from '@payflow/postgres';

export interface HistoryRow {
  readonly version: bigint;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly occurred_at: Date;
  readonly request_id: string | null;
  readonly principal_id: string;
}

/** The history of a payment with who caused what, oldest first. */
export const causedHistoryOf = async (sql: Sql, paymentId: string, rowsMax: number): Promise<readonly HistoryRow[]> =>
  await sql.query<HistoryRow>(
    `SELECT version, type, data, occurred_at, request_id, principal_id FROM payment_events
      WHERE payment_id = $1 ORDER BY version LIMIT $2`,
    [paymentId, rowsMax],
  );

export interface MessageRow {
  readonly provider: string;
  readonly webhook_id: string;
  readonly operation_id: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly received_at: Date;
}

/** What acquirers sent about orders of the payment, oldest first, as far as it is still kept. */
export const acquirerMessagesOf = async (
  sql: Sql,
  paymentId: string,
  rowsMax: number,
): Promise<readonly MessageRow[]> =>
  await sql.query<MessageRow>(
    `SELECT provider, webhook_id, operation_id, state, reason, received_at FROM psp_webhooks
      WHERE payment_id = $1 ORDER BY received_at LIMIT $2`,
    [paymentId, rowsMax],
  );
