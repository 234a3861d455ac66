import { Injectable } from '@nestjs/common';
import { type Principal, RECOVERED_EVENTS_MAX, type RecoverWebhooksRequest, TEST_EVENT_TYPE } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';
import { type Answer, InjectConfig, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { bodyOf } from '../domain/event-body.js';
import { wantedTypes } from '../domain/event-types.js';
import type { NotificationConfig } from '../notification.config.js';
import {
  type DeliveryRow,
  findDelivery,
  insertDeliveries,
  oweAgain,
  recoverDeliveries,
  triesOf,
} from '../store/deliveries.js';
import type { EndpointRow } from '../store/endpoints.js';
import { insertEvents } from '../store/events.js';
import { DeliverWebhooks } from './deliver-webhooks.js';
import { deliveryView } from './delivery-view.js';
import { EndpointRequests } from './endpoint-requests.js';

const MS_PER_DAY = 86_400_000;

/** Webhooks that somebody asks for: a test, one once more, or all that an endpoint has missed. */
@Injectable()
export class OweWebhooks {
  constructor(
    private readonly requests: EndpointRequests,
    private readonly deliveries: DeliverWebhooks,
    @InjectConfig() private readonly config: Pick<NotificationConfig, 'EVENT_RETENTION_DAYS'>,
  ) {}

  /** @throws Problem webhook_endpoint_not_found | webhook_endpoint_disabled */
  async test(principal: Principal, meta: RequestMeta, endpointId: string): Promise<StoredAnswer> {
    const request = { principal, meta, body: null, resourceId: newId('del') };
    return await this.requests.once(request, async (tx, deliveryId) => {
      const endpoint = await this.requests.lockedEnabled(tx, principal, endpointId);
      const { merchantId } = endpoint;
      const [eventId, occurredAt] = [newId('evt'), new Date()];
      const body = bodyOf({
        eventId,
        type: `${TEST_EVENT_TYPE}.v1`,
        occurredAt: occurredAt.toISOString(),
        aggregateId: endpointId,
        sequence: 1,
        previousSequence: null,
        merchantId,
        correlationId: null,
        causationId: null,
        payload: { endpointId, message: 'This is a test. Nothing has happened.' },
      });
      const event = {
        eventId,
        merchantId,
        type: TEST_EVENT_TYPE,
        aggregateId: endpointId,
        sequence: 1,
        body,
        occurredAt,
      };
      await insertEvents(tx, [{ ...event, position: null }]);
      await insertDeliveries(tx, [{ ...event, deliveryId, endpointId, eventType: TEST_EVENT_TYPE }]);
      this.pokeOnCommit(tx);
      return await answerOf(tx, endpoint, await findDelivery(tx, endpointId, deliveryId));
    });
  }

  /** @throws Problem webhook_endpoint_not_found | webhook_endpoint_disabled | webhook_delivery_not_found */
  async redeliver(
    principal: Principal,
    meta: RequestMeta,
    endpointId: string,
    deliveryId: string,
  ): Promise<StoredAnswer> {
    return await this.requests.once({ principal, meta, body: null, resourceId: deliveryId }, async (tx) => {
      const endpoint = await this.requests.lockedEnabled(tx, principal, endpointId);
      this.pokeOnCommit(tx);
      return await answerOf(tx, endpoint, await oweAgain(tx, endpointId, deliveryId));
    });
  }

  /** @throws Problem webhook_endpoint_not_found | webhook_endpoint_disabled | webhook_recovery_too_old */
  async recover(
    principal: Principal,
    meta: RequestMeta,
    endpointId: string,
    body: RecoverWebhooksRequest,
  ): Promise<StoredAnswer> {
    return await this.requests.once({ principal, meta, body, resourceId: endpointId }, async (tx) => {
      const { merchantId, eventTypes } = await this.requests.lockedEnabled(tx, principal, endpointId);
      this.requireKept(body.since);
      const queued = await recoverDeliveries(tx, {
        endpointId,
        merchantId,
        types: wantedTypes(eventTypes),
        since: body.since,
        deliveryIds: Array.from({ length: RECOVERED_EVENTS_MAX }, () => newId('del')),
      });
      this.pokeOnCommit(tx);
      return { status: 202, body: { queued, complete: queued < RECOVERED_EVENTS_MAX } };
    });
  }

  /** Of what was forgotten nobody can say whether it was sent. */
  private requireKept(since: string): void {
    const days = this.config.EVENT_RETENTION_DAYS;
    const keptSince = new Date(Date.now() - days * MS_PER_DAY);
    if (new Date(since) >= keptSince) return;
    const message = `Events are kept for ${days} days: recover since ${keptSince.toISOString()} or later.`;
    throw new Problem('webhook_recovery_too_old', {
      detail: message,
      errors: [{ pointer: '/since', code: 'too_old', message }],
    });
  }

  private pokeOnCommit(tx: Tx): void {
    tx.onCommit(() => {
      this.deliveries.poke();
    });
  }
}

const answerOf = async (tx: Tx, endpoint: EndpointRow, row: DeliveryRow | undefined): Promise<Answer> => {
  if (row === undefined) throw new Problem('webhook_delivery_not_found');
  return { status: 202, body: deliveryView(row, endpoint, await triesOf(tx, [row.id]), new Date()) };
};
