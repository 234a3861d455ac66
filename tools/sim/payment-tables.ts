import type { Envelope } from '@payflow/contracts';

import type { PaymentEvent } from '../../apps/payment/src/domain/events.js';
import type { Payment } from '../../apps/payment/src/domain/payment.js';
import type { Publications } from '../../libs/messaging/src/outbox/number-events.js';

/** payment_events and payments: the history, and the read model written beside it. */
export interface StoredPayment {
  readonly events: PaymentEvent[];
  /** What the events say: kept, so that it need not be folded again for each decision. */
  state: Payment;
  live: Payment;
}

/** payment_attempts, as far as recovery looks at it. */
export interface AttemptRow {
  readonly operationId: string;
  readonly paymentId: string;
  /** The fence: who takes the order up raises it. */
  recoveries: number;
  /** Of the schedule, that have gone by. */
  inquiries: number;
  /** Null: the operation has ended. */
  nextRecoveryAtMs: number | null;
}

/** psp_webhooks: news that waits to be looked at. */
export interface WebhookRow {
  readonly operationId: string;
  readonly paymentId: string;
  tries: number;
  isWaiting: boolean;
}

export interface StoredAnswer {
  readonly status: number;
  readonly bodyText: string;
  readonly replayed: boolean;
}

/** idempotency_keys */
export interface KeyRow {
  readonly requestHash: string;
  readonly state: 'running' | 'done';
  readonly resourceId: string;
  readonly fence: number;
  readonly leaseUntilMs: number;
  readonly expiresAtMs: number;
  readonly answer: StoredAnswer | undefined;
}

export interface OutboxRow {
  readonly position: number;
  readonly topic: string;
  readonly key: string;
  readonly envelope: Envelope;
  isPublished: boolean;
}

/** The tables of the payment service, committed rows only. */
export class PaymentTables {
  readonly payments = new Map<string, StoredPayment>();
  readonly attempts = new Map<string, AttemptRow>();
  /** The open ones, which is what the partial index of the table holds. */
  readonly openAttempts = new Set<AttemptRow>();
  readonly webhooks = new Map<string, WebhookRow>();
  readonly keys = new Map<string, KeyRow>();
  readonly sequences = new Map<string, Publications>();
  /** By position, once committed. */
  readonly outbox = new Map<number, OutboxRow>();
  readonly eventsOf = new Map<string, OutboxRow[]>();
  /** Not published, in the order of positions. */
  readonly pending: OutboxRow[] = [];
  /** Given out before the commit, as sequences are. */
  lastPosition = 0;

  insertOutbox(row: OutboxRow): void {
    this.outbox.set(row.position, row);
    const own = this.eventsOf.get(row.envelope.aggregateId);
    if (own === undefined) this.eventsOf.set(row.envelope.aggregateId, [row]);
    else own.push(row);
    this.insertPending(row);
  }

  /** Everything is to be sent again. */
  unpublish(): number {
    this.pending.length = 0;
    const rows = [...this.outbox.values()].sort((a, b) => a.position - b.position);
    for (const row of rows) {
      row.isPublished = false;
      this.pending.push(row);
    }
    return rows.length;
  }

  markPublished(rows: readonly OutboxRow[]): void {
    for (const row of rows) row.isPublished = true;
    const still = this.pending.filter((row) => !row.isPublished);
    this.pending.length = 0;
    this.pending.push(...still);
  }

  private insertPending(row: OutboxRow): void {
    let index = this.pending.length;
    while (index > 0 && this.pending[index - 1]!.position > row.position) index -= 1;
    this.pending.splice(index, 0, row);
  }
}
