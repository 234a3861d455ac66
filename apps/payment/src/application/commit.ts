import { Injectable } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { type HeldPublications, Outbox } from '@payflow/messaging';
import { isUniqueViolation, type Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import { authorizationRefusal } from '../domain/authorize.js';
import type { PaymentEvent } from '../domain/events.js';
import { evolve } from '../domain/evolve.js';
import { endedSinceStuck, exceptionsOf } from '../domain/exceptions.js';
import { violatedInvariants } from '../domain/invariants.js';
import type { Payment } from '../domain/payment.js';
import type { PaymentConfig } from '../payment.config.js';
import { disputeRowOf, storeDispute } from '../store/disputes.js';
import { attemptRowOf, storeAttempt } from '../store/payment-attempts.js';
import { appendEvents, type Cause } from '../store/payment-events.js';
import { endException, raiseException } from '../store/payment-exceptions.js';
import { forgetPayerEmail } from '../store/payer-emails.js';
import { storeReview } from '../store/payment-reviews.js';
import { paymentRowOf, storePayment } from '../store/payments.js';
import { refundRowOf, storeRefund } from '../store/refunds.js';
import { PaymentMetrics } from './payment-metrics.js';
import { publicationOf } from './publications.js';
import { nextDisputeLookMs, nextLookMs } from './recovery-schedule.js';

export interface Commitment {
  readonly before: Payment;
  readonly events: readonly PaymentEvent[];
  readonly cause: Cause;
  /** What belongs to the same transaction and must come before the publications: the answer to the caller. */
  readonly conclude?: (after: Payment) => Promise<void>;
  /** The payment's publications, where they were locked or are known together with it. */
  readonly held?: HeldPublications;
}

/** A payment with its publications: what a command can go on from without reading it again. */
export interface Written {
  readonly payment: Payment;
  readonly publications: HeldPublications;
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
   * @returns the payment after the events, and how far it has published
   * @throws Problem concurrent_update when another writer was faster; the transaction is lost
   */
  async write(tx: Tx, commitment: Commitment): Promise<Written> {
    const { before, events, cause, conclude } = commitment;
    const states = events.map((_, index) => events.slice(0, index + 1).reduce(evolve, before));
    const after = states.at(-1) ?? before;
    const publications = events.flatMap((event, index) => publicationOf(event, states[index] ?? after) ?? []);
    // In this order and in one round trip: nothing here waits for what a statement before it answers.
    const writes = [
      events.length > 0 ? this.store(tx, before, after, events, cause) : undefined,
      ...events
        .flatMap((event) => exceptionsOf(event, after))
        .map((exception) => raiseException(tx, newId('pex'), after, exception)),
      ...endedSinceStuck(before, after).map(({ id: operationId, state }) =>
        endException(
          tx,
          { operationId, kind: 'stuck' },
          { by: cause.principalId, resolution: `It has ended: ${state}.` },
        ),
      ),
      conclude?.(after),
    ];
    const published =
      before.version === 0
        ? this.outbox.publishFirst(tx, publications)
        : this.outbox.publish(tx, publications, commitment.held);
    await Promise.all([...writes, published]).catch((error: unknown) => {
      // Whichever of them is heard first: those behind a statement that failed fail with its error.
      throw isUniqueViolation(error, 'payment_events_pkey') ? concurrentUpdate() : error;
    });
    tx.onCommit(() => {
      this.metrics.observe(before, after);
    });
    return { payment: after, publications: await published };
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
    const changed = after.operations
      .map((operation, index) => ({ operation, position: index + 1, former: before.operations[index] }))
      .filter(({ operation, former }) => operation !== former);
    await Promise.all([
      // First: it holds the payment's row, and whoever has not locked that before waits here and nowhere behind.
      overwrite(tx, before, after),
      appendEvents(tx, after.paymentId, before.version, events, cause),
      after.review !== null && after.review !== before.review ? storeReview(tx, after, after.review) : undefined,
      isIntentEnding(before, after) ? forgetPayerEmail(tx, after.paymentId) : undefined,
      ...changed.map(({ operation, position }) =>
        storeAttempt(
          tx,
          attemptRowOf(after, operation, position),
          nextLookMs(operation, 0, operation.startedAt, this.config),
        ),
      ),
      ...after.disputes
        .filter((dispute, index) => dispute !== before.disputes[index])
        .map((dispute) =>
          storeDispute(tx, disputeRowOf(after, dispute), nextDisputeLookMs(dispute, 0, new Date(), this.config)),
        ),
      ...changed.map(({ operation }) =>
        operation.kind === 'refund' ? storeRefund(tx, refundRowOf(after, operation)) : undefined,
      ),
    ]);
  }
}

const isIntentEnding = (before: Payment, after: Payment): boolean =>
  before.version > 0 && authorizationRefusal(before) === undefined && authorizationRefusal(after) !== undefined;

const overwrite = async (tx: Tx, before: Payment, after: Payment): Promise<void> => {
  if (!(await storePayment(tx, paymentRowOf(after), before.version))) throw concurrentUpdate();
};
