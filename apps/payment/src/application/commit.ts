import { Injectable } from '@nestjs/common';
import { Outbox } from '@payflow/messaging';
import { isUniqueViolation, type Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import type { PaymentEvent } from '../domain/events.js';
import { evolve } from '../domain/evolve.js';
import { violatedInvariants } from '../domain/invariants.js';
import type { Payment } from '../domain/payment.js';
import type { PaymentConfig } from '../payment.config.js';
import { attemptRowOf, storeAttempt } from '../store/payment-attempts.js';
import { appendEvents, type Cause } from '../store/payment-events.js';
import { paymentRowOf, storePayment } from '../store/payments.js';
import { refundRowOf, storeRefund } from '../store/refunds.js';
import { PaymentMetrics } from './payment-metrics.js';
import { publicationOf } from './publications.js';
import { nextLookMs } from './recovery-schedule.js';

export interface Commitment {
  readonly before: Payment;
  readonly events: readonly PaymentEvent[];
  readonly cause: Cause;
  /** What belongs to the same transaction and must come before the publications: the answer to the caller. */
  readonly conclude?: (after: Payment) => Promise<void>;
}

const concurrentUpdate = (): Problem =>
  new Problem('concurrent_update', { detail: 'Another request changed the payment at the same moment.' });

/** Whatever a payment's command leaves behind, in one transaction: events, read models, the answer, publications. */
@Injectable()
export class Commit {
  constructor(
    private readonly outbox: Outbox,
    private readonly metrics: PaymentMetrics,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {}

  /**
   * @returns the payment after the events
   * @throws Problem concurrent_update when another writer was faster; the transaction is lost
   */
  async write(tx: Tx, commitment: Commitment): Promise<Payment> {
    const { before, events, cause, conclude } = commitment;
    const states = events.map((_, index) => events.slice(0, index + 1).reduce(evolve, before));
    const after = states.at(-1) ?? before;
    if (events.length > 0) await this.store(tx, before, after, events, cause);
    await conclude?.(after);
    await this.outbox.publish(
      tx,
      events.flatMap((event, index) => publicationOf(event, states[index] ?? after) ?? []),
    );
    tx.onCommit(() => {
      this.metrics.observe(before, after);
    });
    return after;
  }

  private async store(
    tx: Tx,
    before: Payment,
    after: Payment,
    events: readonly PaymentEvent[],
    cause: Cause,
  ): Promise<void> {
    const violated = violatedInvariants(after);
    if (violated.length > 0) throw new Error(`invariant: ${after.paymentId} would break ${violated.join(', ')}`);
    await append(tx, before, after, events, cause);
    if (!(await storePayment(tx, paymentRowOf(after), before.version))) throw concurrentUpdate();
    for (const [index, operation] of after.operations.entries()) {
      if (operation === before.operations[index]) continue;
      await storeAttempt(
        tx,
        attemptRowOf(after, operation, index + 1),
        nextLookMs(operation, 0, operation.startedAt, this.config),
      );
      if (operation.kind === 'refund') await storeRefund(tx, refundRowOf(after, operation));
    }
  }
}

const append = async (
  tx: Tx,
  before: Payment,
  after: Payment,
  events: readonly PaymentEvent[],
  cause: Cause,
): Promise<void> => {
  try {
    await appendEvents(tx, after.paymentId, before.version, events, cause);
  } catch (error) {
    throw isUniqueViolation(error) ? concurrentUpdate() : error;
  }
};
