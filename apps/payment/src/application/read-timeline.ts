import { Injectable } from '@nestjs/common';
import {
  type Envelope,
  isStaff,
  type PaymentTimeline,
  type Principal,
  TIMELINE_ITEMS_MAX,
  TIMELINE_KINDS,
  type TimelineItem,
} from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { TimelineParts } from '../clients/timeline-parts.js';
import { type ListedAttempt, listAttempts } from '../store/payment-attempts.js';
import { acquirerMessagesOf, causedHistoryOf, type HistoryRow, type MessageRow } from '../store/payment-timeline.js';
import { findPayment } from '../store/payments.js';
import { sees, visibilityOf } from './ownership.js';

/**
 * GET /payments/{id}/timeline: what happened to a payment, in all services, as one list in which each line names what it
 * follows from. A service that does not answer in time is named, and the rest is shown.
 */
@Injectable()
export class ReadTimeline {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly parts: TimelineParts,
  ) {}

  /** @throws Problem payment_not_found; insufficient_scope for the payer, who is not told how a merchant's endpoints do */
  async run(paymentId: string, principal: Principal): Promise<PaymentTimeline> {
    const row = await findPayment(this.database, paymentId);
    if (!row || !sees(principal, { merchantId: row.merchant_id, userId: row.user_id }))
      throw new Problem('payment_not_found');
    if (visibilityOf(principal).of === 'payer')
      throw new Problem('insufficient_scope', { detail: 'The timeline is for the merchant and for staff.' });
    const forStaff = isStaff(principal);
    const [own, others] = await Promise.all([this.ownItems(paymentId, forStaff), this.parts.of(paymentId)]);
    const items = [...own.items, ...others.flatMap(({ part }) => part?.items ?? [])];
    const missing = others.filter(({ part }) => part === undefined).map(({ service }) => service);
    const truncated = [
      ...(own.truncated ? ['payment'] : []),
      ...others.filter(({ part }) => part?.truncated === true).map(({ service }) => service),
    ];
    return {
      paymentId,
      complete: missing.length === 0 && truncated.length === 0,
      missing,
      truncated,
      // What an acquirer's report says is between him and us.
      data: inOrder(items.filter(({ kind }) => forStaff || kind !== 'reconciliation')),
    };
  }

  private async ownItems(
    paymentId: string,
    forStaff: boolean,
  ): Promise<{ items: readonly TimelineItem[]; truncated: boolean }> {
    const [history, published, attempts, messages] = await Promise.all([
      causedHistoryOf(this.database, paymentId, TIMELINE_ITEMS_MAX + 1),
      this.outbox.publishedOf(this.database, paymentId, TIMELINE_ITEMS_MAX + 1),
      listAttempts(this.database, paymentId),
      acquirerMessagesOf(this.database, paymentId, TIMELINE_ITEMS_MAX + 1),
    ]);
    const orderedBy = ordersIn(paymentId, history);
    return {
      items: [
        ...history.slice(0, TIMELINE_ITEMS_MAX).map((row) => historyItem(paymentId, row, forStaff)),
        ...published.slice(0, TIMELINE_ITEMS_MAX).map((envelope) => publishedItem(paymentId, history, envelope)),
        ...attempts.map((attempt) => attemptItem(attempt, orderedBy)),
        ...messages.slice(0, TIMELINE_ITEMS_MAX).map(messageItem),
      ],
      truncated: [history, published, messages].some(({ length }) => length > TIMELINE_ITEMS_MAX),
    };
  }
}

const idOf = (paymentId: string, { version }: HistoryRow): string => `${paymentId}.v${version}`;

/** Which order an event tells of, or batch, or dispute: `attemptId`, `captureId` … */
const orderOf = ({ data }: HistoryRow): string | undefined =>
  ['captureId', 'refundId', 'voidId', 'attemptId', 'operationId', 'settlementId', 'disputeId']
    .map((name) => data[name])
    .find((value): value is string => typeof value === 'string');

const isRequest = ({ type }: HistoryRow): boolean => type.endsWith('Requested');

/** The event by which each order was given. */
const ordersIn = (paymentId: string, history: readonly HistoryRow[]): ReadonlyMap<string, string> =>
  new Map(
    history.filter(isRequest).flatMap((row) => {
      const order = orderOf(row);
      return order === undefined ? [] : [[order, idOf(paymentId, row)] as const];
    }),
  );

/** Who of the staff has looked at a payment is not the merchant's business. */
const isWordOfReview = ({ type }: HistoryRow): boolean => type.startsWith('Review') || type === 'PaymentRejected';

const historyItem = (paymentId: string, row: HistoryRow, forStaff: boolean): TimelineItem => ({
  at: row.occurred_at.toISOString(),
  kind: 'event',
  service: 'payment',
  id: idOf(paymentId, row),
  causedBy: (isRequest(row) ? undefined : orderOf(row)) ?? row.request_id,
  correlationId: row.request_id,
  summary: forStaff || !isWordOfReview(row) ? `${row.type} by ${row.principal_id}` : row.type,
  links: { events: `/payments/${paymentId}/events` },
});

/** What others were told: of the last of its events that had happened by then. */
const publishedItem = (paymentId: string, history: readonly HistoryRow[], envelope: Envelope): TimelineItem => {
  const occurredAt = Date.parse(envelope.occurredAt);
  const cause = history.findLast(({ occurred_at: at }) => at.getTime() <= occurredAt);
  return {
    at: envelope.occurredAt,
    kind: 'event',
    service: 'payment',
    id: envelope.eventId,
    causedBy: cause === undefined ? envelope.causationId : idOf(paymentId, cause),
    correlationId: envelope.correlationId,
    summary: `${envelope.type} published as number ${envelope.sequence}`,
    links: { payment: `/payments/${paymentId}` },
  };
};

const attemptItem = (row: ListedAttempt, orderedBy: ReadonlyMap<string, string>): TimelineItem => ({
  at: row.started_at.toISOString(),
  kind: 'acquirer_order',
  service: 'payment',
  id: row.attempt_id,
  causedBy: orderedBy.get(row.attempt_id) ?? null,
  correlationId: null,
  summary:
    `${row.operation} ${row.amount_minor} ${row.currency} at ${row.acquirer}: ${row.state}` +
    (row.acquirer_reference === null ? '' : `, there ${row.acquirer_reference}`),
  links: { attempts: `/payments/${row.payment_id}/attempts` },
});

const messageItem = (row: MessageRow): TimelineItem => ({
  at: row.received_at.toISOString(),
  kind: 'acquirer_message',
  service: 'payment',
  id: row.webhook_id,
  causedBy: row.operation_id,
  correlationId: null,
  summary: `message of ${row.provider}: ${row.state}${row.reason === null ? '' : ` (${row.reason})`}`,
  links: {},
});

/** Oldest first; of one moment, the payment's own events before what others made of them. */
const inOrder = (items: readonly TimelineItem[]): TimelineItem[] =>
  items
    .map((item, index) => ({ item, at: Date.parse(item.at), rank: TIMELINE_KINDS.indexOf(item.kind), index }))
    .sort((a, b) => a.at - b.at || a.rank - b.rank || a.index - b.index)
    .map(({ item }) => item);
