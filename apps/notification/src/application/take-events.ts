import { Injectable } from '@nestjs/common';
import type { Envelope } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';

import { bodyOf } from '../domain/event-body.js';
import { isForMerchants, isWanted, typeWithoutVersion } from '../domain/event-types.js';
import { insertDeliveries } from '../store/deliveries.js';
import { enabledEndpointsOf } from '../store/endpoints.js';
import { advanceFeeds, insertEvents, type NewEvent } from '../store/events.js';
import { DeliverWebhooks } from './deliver-webhooks.js';

/**
 * Events become items of their merchants' feeds, and owed to the endpoints that want them: in the transaction of the inbox,
 * and each once for an endpoint, whatever Kafka repeats.
 */
@Injectable()
export class TakeEvents {
  constructor(private readonly deliveries: DeliverWebhooks) {}

  async take(tx: Tx, envelopes: readonly Envelope[]): Promise<void> {
    const events = envelopes.flatMap(toldEvent);
    if (events.length === 0) return;
    const places = await advanceFeeds(tx, countByMerchant(events));
    const [fresh, endpoints] = await Promise.all([
      insertEvents(tx, placed(events, places)),
      enabledEndpointsOf(tx, [...places.keys()]),
    ]);
    const owed = events
      .filter(({ eventId }) => fresh.has(eventId))
      .flatMap(({ merchantId, eventId, type, aggregateId, sequence }) =>
        endpoints
          .filter((endpoint) => endpoint.merchantId === merchantId && isWanted(endpoint.eventTypes, type))
          .map(({ id }) => ({
            deliveryId: newId('del'),
            endpointId: id,
            eventId,
            eventType: type,
            aggregateId,
            sequence,
          })),
      );
    if (owed.length === 0) return;
    await insertDeliveries(tx, owed);
    tx.onCommit(() => {
      this.deliveries.poke();
    });
  }
}

/** What is not for merchants, or of no merchant, is told to none. */
const toldEvent = (envelope: Envelope): readonly NewEvent[] => {
  const { type } = typeWithoutVersion(envelope.type);
  const { eventId, merchantId, aggregateId, sequence } = envelope;
  if (merchantId === null || !isForMerchants(type)) return [];
  const occurredAt = new Date(envelope.occurredAt);
  return [{ eventId, merchantId, type, aggregateId, sequence, body: bodyOf(envelope), occurredAt }];
};

const countByMerchant = (events: readonly NewEvent[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { merchantId } of events) counts.set(merchantId, (counts.get(merchantId) ?? 0) + 1);
  return counts;
};

/** Each at its place: in the order in which they came, the last at its feed's end. */
const placed = (
  events: readonly NewEvent[],
  lastPlaces: ReadonlyMap<string, bigint>,
): readonly (NewEvent & { readonly position: bigint })[] => {
  const next = new Map(
    [...countByMerchant(events)].map(([merchantId, count]) => [
      merchantId,
      (lastPlaces.get(merchantId) ?? 0n) - BigInt(count) + 1n,
    ]),
  );
  return events.map((event) => {
    const position = next.get(event.merchantId) ?? 1n;
    next.set(event.merchantId, position + 1n);
    return { ...event, position };
  });
};
