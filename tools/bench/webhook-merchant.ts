import type pg from 'pg';
import { typeid } from 'typeid-js';

import { call } from './call.ts';
import { newMerchants } from './merchants.ts';
import { connected } from './payment-books.ts';
import type { Bench } from './section.ts';

interface Times {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A merchant with a past: events in his feed, which endpoints that he makes later may recover. */
export class WebhookMerchant {
  readonly eventIds: readonly string[];
  private readonly gateway: string;
  private readonly token: string;
  private readonly database: pg.Client;
  private readonly endpointIds: string[] = [];

  private constructor(gateway: string, token: string, database: pg.Client, eventIds: readonly string[]) {
    this.gateway = gateway;
    this.token = token;
    this.database = database;
    this.eventIds = eventIds;
  }

  /** The events are written into the feed set-based, as if payments had told of them: no payment has. */
  static async open({ stack }: Bench, events: number): Promise<WebhookMerchant> {
    const [merchant] = await newMerchants(stack, 1);
    if (merchant === undefined) throw new Error('invariant: one merchant was asked for');
    const { merchantId, token } = merchant;
    const database = await connected(stack.postgres, 'payflow_notification');
    const told = Array.from({ length: events }, () => toldEvent(merchantId));
    await database.query(
      `WITH feed AS (INSERT INTO event_feeds (merchant_id, last_position) VALUES ($1, $2))
       INSERT INTO events (event_id, merchant_id, position, type, aggregate_id, sequence, body, occurred_at)
       SELECT event_id, $1, position, 'payment.captured', aggregate_id, 3, body, now()
         FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (event_id, aggregate_id, body, position)`,
      [
        merchantId,
        events,
        told.map(({ eventId }) => eventId),
        told.map(({ paymentId }) => paymentId),
        told.map(({ body }) => body),
      ],
    );
    await database.query('VACUUM (ANALYZE) events');
    const eventIds = told.map(({ eventId }) => eventId);
    return new WebhookMerchant(stack.gateway, token, database, eventIds);
  }

  /** A new endpoint there. @returns its id */
  async endpointAt(url: string): Promise<string> {
    const path = `${this.gateway}/webhook-endpoints`;
    const { id } = await call<{ id: string }>('POST', path, this.token, { url, eventTypes: ['*'] });
    this.endpointIds.push(id);
    return id;
  }

  /** Has the endpoint be owed everything that has ever happened. */
  async recover(endpointId: string): Promise<void> {
    const since = new Date(Date.now() - 86_400_000).toISOString();
    const path = `${this.gateway}/webhook-endpoints/${endpointId}/recover`;
    const { queued } = await call<{ queued: number }>('POST', path, this.token, { since });
    if (queued !== this.eventIds.length)
      throw new Error(`${String(queued)} of ${String(this.eventIds.length)} events are owed to ${endpointId}`);
  }

  /** How many are accepted and written down as such. */
  async delivered(endpointId: string): Promise<number> {
    const { rows } = await this.database.query<{ count: string }>(
      `SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = $1 AND status = 'DELIVERED'`,
      [endpointId],
    );
    return Number(rows[0]?.count);
  }

  /** How long the receiver took, as the service saw it. */
  async times(endpointId: string): Promise<Times> {
    const { rows } = await this.database.query<Times>(
      `SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) AS "p50Ms",
              percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) AS "p99Ms"
         FROM webhook_tries WHERE endpoint_id = $1`,
      [endpointId],
    );
    return rows[0] ?? { p50Ms: 0, p99Ms: 0 };
  }

  /** Nothing is owed to his endpoints any more. */
  async close(): Promise<void> {
    for (const id of this.endpointIds) await call('DELETE', `${this.gateway}/webhook-endpoints/${id}`, this.token);
    await this.database.end();
  }
}

/** An event as its merchant gets it. */
export const toldEvent = (
  merchantId: string,
): { readonly eventId: string; readonly paymentId: string; readonly body: string } => {
  const eventId = typeid('evt').toString();
  const paymentId = typeid('pay').toString();
  const data = {
    paymentId,
    merchantId,
    userId: null,
    captureId: typeid('cap').toString(),
    acquirer: 'sim',
    acquirerReference: `sim_${paymentId}`,
    amount: 1_000,
    fee: 59,
    currency: 'USD',
    final: true,
    metadata: {},
  };
  const head = { id: eventId, type: 'payment.captured', version: 1, timestamp: new Date().toISOString(), merchantId };
  return { eventId, paymentId, body: JSON.stringify({ ...head, aggregateId: paymentId, sequence: 3, data }) };
};
