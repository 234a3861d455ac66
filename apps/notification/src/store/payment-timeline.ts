import type { Sql } from '@payflow/postgres';

export interface DeliveryRow {
  readonly delivery_id: string;
  readonly endpoint_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly url: string;
  readonly status: string;
  readonly tries: number;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

/** Each event of the payment on its way to each endpoint, oldest first. */
export const deliveriesOfPayment = async (
  sql: Sql,
  paymentId: string,
  rowsMax: number,
): Promise<readonly DeliveryRow[]> =>
  await sql.query<DeliveryRow>(
    `SELECT d.delivery_id, d.endpoint_id, d.event_id, d.event_type, w.url, d.status, d.tries, d.created_at, d.ended_at
       FROM events e JOIN webhook_deliveries d ON d.event_id = e.event_id JOIN webhook_endpoints w USING (endpoint_id)
      WHERE e.aggregate_id = $1 ORDER BY d.created_at, d.delivery_id LIMIT $2`,
    [paymentId, rowsMax],
  );

export interface SentRow {
  readonly message_id: string;
  readonly event_id: string;
  readonly recipient_id: string;
  readonly channel: string;
  readonly status: string;
  readonly occurred_at: Date;
  readonly ended_at: Date | null;
}

/** Mails and SMS about events of the payment, oldest first. */
export const messagesOfPayment = async (sql: Sql, paymentId: string, rowsMax: number): Promise<readonly SentRow[]> =>
  await sql.query<SentRow>(
    `SELECT m.message_id, m.event_id, m.recipient_id, m.channel, m.status, m.occurred_at, m.ended_at
       FROM events e JOIN messages m ON m.event_id = e.event_id
      WHERE e.aggregate_id = $1 ORDER BY m.occurred_at, m.message_id LIMIT $2`,
    [paymentId, rowsMax],
  );
