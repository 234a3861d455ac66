import type { WebhookEndpointView } from '@payflow/contracts';

import type { EndpointRow } from '../store/endpoints.js';

/** An endpoint as its merchant sees it. One that was deleted is never shown. */
export const endpointView = (row: EndpointRow, publicKeys: readonly string[]): WebhookEndpointView => ({
  id: row.id as WebhookEndpointView['id'],
  merchantId: row.merchantId,
  url: row.url,
  eventTypes: [...row.eventTypes],
  description: row.description,
  ordered: row.ordered,
  status: row.status === 'ENABLED' ? 'ENABLED' : 'DISABLED',
  disabledReason: row.disabledReason,
  failingSince: row.failingSince?.toISOString() ?? null,
  publicKeys: [...publicKeys],
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});
