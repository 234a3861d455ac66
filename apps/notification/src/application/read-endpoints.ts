import { Injectable } from '@nestjs/common';
import type {
  ListWebhookDeliveriesQuery,
  ListWebhookEndpointsQuery,
  Principal,
  WebhookDeliveryView,
  WebhookEndpointView,
  WebhookStatistics,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { figuresOf, findDelivery, listDeliveries, triesOf } from '../store/deliveries.js';
import { type EndpointRow, findEndpoint, listEndpoints } from '../store/endpoints.js';
import { signingSecrets } from '../store/secrets.js';
import { deliveryView } from './delivery-view.js';
import { endpointView } from './endpoint-view.js';
import { listedMerchant, sees } from './webhook-ownership.js';

interface Page<Item> {
  readonly data: Item[];
  readonly nextCursor: string | null;
}

/** Endpoints, the log of what was sent to them, and how they do. */
@Injectable()
export class ReadEndpoints {
  constructor(private readonly database: Database) {}

  /** @throws Problem merchant_required | insufficient_scope */
  async page(principal: Principal, query: ListWebhookEndpointsQuery): Promise<Page<WebhookEndpointView>> {
    const filter = { merchantId: listedMerchant(principal, query.merchantId), status: query.status };
    const rows = await listEndpoints(this.database, filter, query.cursor, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    return {
      data: await this.views(shown),
      nextCursor: rows.length > query.limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  /** @throws Problem webhook_endpoint_not_found */
  async one(
    principal: Principal,
    endpointId: string,
  ): Promise<{ readonly view: WebhookEndpointView; readonly version: bigint }> {
    const row = await this.seen(principal, endpointId);
    const [view] = await this.views([row]);
    if (view === undefined) throw new Error('invariant: one row has one view');
    return { view, version: row.version };
  }

  /** @throws Problem webhook_endpoint_not_found */
  async log(
    principal: Principal,
    endpointId: string,
    query: ListWebhookDeliveriesQuery,
  ): Promise<Page<WebhookDeliveryView>> {
    const endpoint = await this.seen(principal, endpointId);
    const { status, eventType, cursor, limit } = query;
    const rows = await listDeliveries(this.database, { endpointId, status, eventType }, cursor, limit + 1);
    const shown = rows.slice(0, limit);
    const tries = await triesOf(
      this.database,
      shown.map(({ id }) => id),
    );
    const at = new Date();
    return {
      data: shown.map((row) =>
        deliveryView(
          row,
          endpoint,
          tries.filter(({ deliveryId }) => deliveryId === row.id),
          at,
        ),
      ),
      nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  /** @throws Problem webhook_endpoint_not_found | webhook_delivery_not_found */
  async delivery(principal: Principal, endpointId: string, deliveryId: string): Promise<WebhookDeliveryView> {
    const endpoint = await this.seen(principal, endpointId);
    const row = await findDelivery(this.database, endpointId, deliveryId);
    if (row === undefined) throw new Problem('webhook_delivery_not_found');
    return deliveryView(row, endpoint, await triesOf(this.database, [row.id]), new Date());
  }

  /** @throws Problem webhook_endpoint_not_found */
  async statistics(principal: Principal, endpointId: string): Promise<WebhookStatistics> {
    const endpoint = await this.seen(principal, endpointId);
    const figures = await figuresOf(this.database, endpointId);
    const isPaused = endpoint.pausedUntil !== null && endpoint.pausedUntil > new Date();
    return {
      endpointId,
      pending: figures.pending,
      oldestPendingAt: figures.oldestPendingAt?.toISOString() ?? null,
      lastDay: {
        tries: figures.tries,
        accepted: figures.accepted,
        refused: figures.tries - figures.accepted,
        medianMs: figures.medianMs,
        p95Ms: figures.p95Ms,
      },
      lastAcceptedAt: figures.lastAcceptedAt?.toISOString() ?? null,
      failingSince: endpoint.failingSince?.toISOString() ?? null,
      pausedUntil: isPaused ? endpoint.pausedUntil.toISOString() : null,
    };
  }

  private async seen(principal: Principal, endpointId: string): Promise<EndpointRow> {
    const row = await findEndpoint(this.database, endpointId);
    if (row === undefined || !sees(principal, row.merchantId)) throw new Problem('webhook_endpoint_not_found');
    return row;
  }

  private async views(rows: readonly EndpointRow[]): Promise<WebhookEndpointView[]> {
    const keys = await signingSecrets(
      this.database,
      rows.map(({ id }) => id),
    );
    return rows.map((row) =>
      endpointView(
        row,
        keys.filter(({ endpointId }) => endpointId === row.id).map(({ publicKey }) => publicKey),
      ),
    );
  }
}
