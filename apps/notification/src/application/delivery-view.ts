import type { WebhookDeliveryView, WebhookTryView } from '@payflow/contracts';

import type { DeliveryRow, TryRow } from '../store/deliveries.js';
import type { EndpointRow } from '../store/endpoints.js';

/** A delivery with its latest tries, and when it is tried next. */
export const deliveryView = (
  row: DeliveryRow,
  endpoint: Pick<EndpointRow, 'status' | 'pausedUntil'>,
  tries: readonly TryRow[],
  at: Date,
): WebhookDeliveryView => ({
  id: row.id as WebhookDeliveryView['id'],
  endpointId: row.endpointId,
  eventId: row.eventId,
  eventType: row.eventType,
  aggregateId: row.aggregateId,
  status: row.status,
  triesMade: row.tries,
  nextTryAt: nextTryAt(row, endpoint, at)?.toISOString() ?? null,
  tries: tries.map(tryView),
  createdAt: row.createdAt.toISOString(),
  endedAt: row.endedAt?.toISOString() ?? null,
});

const nextTryAt = (
  { status, inFlightUntil, dueAt }: DeliveryRow,
  endpoint: Pick<EndpointRow, 'status' | 'pausedUntil'>,
  at: Date,
): Date | null => {
  const isUnderWay = inFlightUntil !== null && inFlightUntil > at;
  if (status !== 'PENDING' || isUnderWay || endpoint.status !== 'ENABLED') return null;
  return endpoint.pausedUntil !== null && endpoint.pausedUntil > dueAt ? endpoint.pausedUntil : dueAt;
};

const tryView = ({ number, at, statusCode, error, durationMs }: TryRow): WebhookTryView => ({
  number,
  at: at.toISOString(),
  statusCode,
  error,
  durationMs,
});
