import { Injectable } from '@nestjs/common';
import { NOTIFICATION_EVENTS } from '@payflow/contracts';
import { Outbox, type OutgoingEvent } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, Logger } from '@payflow/service';
import { setTimeout as wait } from 'node:timers/promises';

import type { WebhookAnswer } from '../clients/webhook-client.js';
import { evolveHealth, type TriesSeen } from '../domain/endpoint-health.js';
import { nextTryAt } from '../domain/retry-schedule.js';
import type { NotificationConfig } from '../notification.config.js';
import { type DueDelivery, recordOutcomes, type TryOutcome, wakeNext } from '../store/due-deliveries.js';
import { type EndpointRow, lockHealth, saveHealth } from '../store/endpoints.js';

const GONE = 410;
const OUTCOMES_MAX = 500;
const WRITES_MAX = 5;
const WRITE_AGAIN_MS = 500;

interface Try {
  readonly delivery: DueDelivery;
  readonly answer: WebhookAnswer;
  readonly at: Date;
}

interface Waiting extends Try {
  readonly written: () => void;
}

interface Tried {
  readonly delivery: DueDelivery;
  readonly outcome: TryOutcome;
  /** It went where the endpoint, if it was locked, still is. What another address says tells nothing of this one. */
  readonly isCurrent: boolean;
}

/**
 * Writes down what became of tries: the log, when each is tried next, and how its endpoint does. Whatever has ended while the
 * database wrote is written together next, in one transaction.
 */
@Injectable()
export class RecordTries {
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    @InjectConfig()
    private readonly config: Pick<NotificationConfig, 'WEBHOOK_RETRY_DELAYS_SECONDS' | 'WEBHOOK_DISABLE_AFTER_SECONDS'>,
  ) {}

  /** Returns when it stands in the database; or when it cannot be written, and the delivery is sent again after its lease. */
  async record(delivery: DueDelivery, answer: WebhookAnswer, at: Date): Promise<void> {
    await new Promise<void>((written) => {
      this.waiting.push({ delivery, answer, at, written });
      this.writing ??= this.write();
    });
  }

  private outcomeOf({ delivery, answer, at }: Try, isCurrent: boolean): TryOutcome {
    const { id, endpointId, fence, roundTries } = delivery;
    const tried = { id, endpointId, fence, at, ...answer };
    if (answer.error === null) return { ...tried, status: 'DELIVERED', dueAt: null };
    // Who is gone wants it neither now nor later.
    if (answer.statusCode === GONE && isCurrent) return { ...tried, status: 'FAILED', dueAt: null };
    const dueAt = nextTryAt(roundTries + 1, this.config.WEBHOOK_RETRY_DELAYS_SECONDS, at, Math.random());
    return { ...tried, status: dueAt === null ? 'FAILED' : 'PENDING', dueAt };
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, OUTCOMES_MAX);
      await this.writeBatch(batch);
      for (const { written } of batch) written();
    }
    this.writing = undefined;
  }

  private async writeBatch(batch: readonly Try[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.database.transaction((tx) => this.writeTogether(tx, batch));
        return;
      } catch (error) {
        this.logger.warn({ err: error, tries: batch.length, attempt }, 'what became of webhooks was not written');
        // It is not lost: a delivery whose lease ends is sent again, under its id.
        if (attempt === WRITES_MAX) return;
        await wait(WRITE_AGAIN_MS);
      }
    }
  }

  /** Endpoints are locked before deliveries, as requests about them do it. */
  private async writeTogether(tx: Tx, batch: readonly Try[]): Promise<void> {
    const sorted = batch.toSorted((a, b) => (a.delivery.id < b.delivery.id ? -1 : 1));
    const endpoints = await lockedEndpoints(tx, sorted);
    const urls = new Map(endpoints.map(({ id, url }) => [id, url]));
    const tried = sorted.map((one): Tried => {
      const isCurrent = urls.get(one.delivery.endpointId) === one.delivery.url;
      return { delivery: one.delivery, outcome: this.outcomeOf(one, isCurrent), isCurrent };
    });
    const tries = await recordOutcomes(
      tx,
      tried.map(({ outcome }) => outcome),
    );
    const recorded = tried.filter(({ outcome }) => tries.has(outcome.id));
    await wakeNext(
      tx,
      recorded.filter(({ outcome }) => outcome.status !== 'PENDING').map(({ delivery }) => delivery),
    );
    const disabled = await this.writeHealth(tx, endpoints, recorded);
    const failed = recorded.filter(({ outcome }) => outcome.status === 'FAILED');
    const events = [
      ...failed.map((one) => failedEvent(one, tries, false)),
      // One for each endpoint, about the delivery that was its last.
      ...disabled.flatMap(({ id }) => {
        const last = recorded.findLast(({ outcome }) => outcome.endpointId === id && outcome.error !== null);
        return last === undefined ? [] : [failedEvent(last, tries, true)];
      }),
    ];
    await this.outbox.publish(tx, events);
  }

  /** @returns the endpoints that are disabled by it */
  private async writeHealth(
    tx: Tx,
    endpoints: readonly EndpointRow[],
    recorded: readonly Tried[],
  ): Promise<readonly EndpointRow[]> {
    const seen = seenByEndpoint(recorded.filter(({ isCurrent }) => isCurrent).map(({ outcome }) => outcome));
    const at = new Date();
    const changed = endpoints.map((endpoint) => ({
      ...endpoint,
      ...evolveHealth(endpoint, seen.get(endpoint.id) ?? NOTHING_SEEN, at, this.config.WEBHOOK_DISABLE_AFTER_SECONDS),
    }));
    await saveHealth(tx, changed);
    const disabled = changed.filter(({ status }, index) => status !== endpoints[index]?.status);
    for (const { id, merchantId, disabledReason } of disabled)
      this.logger.warn({ endpointId: id, merchantId, reason: disabledReason }, 'a webhook endpoint was disabled');
    return disabled;
  }
}

/** Those whose health these tries may change. */
const lockedEndpoints = async (tx: Tx, batch: readonly Try[]): Promise<readonly EndpointRow[]> => {
  const idsOf = (tries: readonly Try[]): string[] => [...new Set(tries.map(({ delivery }) => delivery.endpointId))];
  const failing = idsOf(batch.filter(({ answer }) => answer.error !== null));
  return await lockHealth(tx, idsOf(batch), failing);
};

const NOTHING_SEEN: TriesSeen = { accepted: 0, failed: 0, firstFailedAt: null, gone: false };

const seenByEndpoint = (outcomes: readonly TryOutcome[]): ReadonlyMap<string, TriesSeen> => {
  const seen = new Map<string, TriesSeen>();
  for (const { endpointId, error, statusCode, at } of outcomes) {
    const before = seen.get(endpointId) ?? NOTHING_SEEN;
    const after =
      error === null
        ? { ...before, accepted: before.accepted + 1 }
        : {
            ...before,
            failed: before.failed + 1,
            firstFailedAt: before.firstFailedAt ?? at,
            gone: before.gone || statusCode === GONE,
          };
    seen.set(endpointId, after);
  }
  return seen;
};

const failedEvent = (
  { delivery, outcome }: Tried,
  tries: ReadonlyMap<string, number>,
  endpointDisabled: boolean,
): OutgoingEvent => ({
  definition: NOTIFICATION_EVENTS.failed,
  aggregateId: delivery.id,
  merchantId: delivery.merchantId,
  key: delivery.merchantId,
  occurredAt: outcome.at,
  payload: {
    deliveryId: delivery.id,
    channel: 'webhook',
    merchantId: delivery.merchantId,
    userId: null,
    endpointId: delivery.endpointId,
    eventId: delivery.eventId,
    tries: tries.get(delivery.id) ?? 1,
    reason: outcome.statusCode === null ? (outcome.error ?? 'unknown') : `status ${outcome.statusCode}`,
    endpointDisabled,
  },
});
