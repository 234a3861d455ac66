import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger } from '@payflow/service';

import { Acquirers } from '../clients/acquirers.js';
import type { Operation, Payment } from '../domain/payment.js';
import { type InquiryAnswer, nextStep } from '../domain/saga.js';
import { type PaymentConfig, takenLeaseMs } from '../payment.config.js';
import { type TakenOrder, takeUpOwnOrder } from '../store/payment-attempts.js';
import type { Cause } from '../store/payment-events.js';
import { OutcomeRecorder } from './outcome-recorder.js';

/** More than the longest route: an attempt at each acquirer, the capture of a sale, a reversal. */
const STEPS_MAX = 12;

/** The steps of a saga that nobody waits for: orders are sent, recorded, and followed until nothing is left to send. */
@Injectable()
export class SagaSteps {
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly acquirers: Acquirers,
    private readonly recorder: OutcomeRecorder,
    private readonly logger: Logger,
    @InjectConfig() config: PaymentConfig,
  ) {
    this.leaseMs = takenLeaseMs(config);
  }

  /** Asks the acquirer what became of an operation, by our reference. It changes nothing there. */
  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    const answer = await this.acquirers.inquire(payment, operation);
    crashPoint('payment.recover.after-inquiry');
    this.logger.info({ operationId: operation.id, answer: answer.kind }, 'the acquirer was asked about an order');
    return answer;
  }

  /**
   * Sends what follows from an operation, and what follows from that. For whoever committed it: another may be sending
   * the same, under the same ids, and is not waited for.
   */
  async goOn(payment: Payment, firstOperationId: string, cause: Cause): Promise<Payment> {
    let current = payment;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const operation = nextStep(current, firstOperationId);
      const order = operation && (await takeUpOwnOrder(this.database, operation.id, this.leaseMs));
      if (!operation || !order) return current;
      // Its request may have sent it and died: who follows from another attempt's late word finds it just as requested.
      current = await this.send(current, operation, order, { perhapsSentBefore: true, cause });
    }
    return current;
  }

  /** Sends an order under its own id and records the answer. Whoever calls has taken it up. */
  async send(
    payment: Payment,
    operation: Operation,
    { fence }: TakenOrder,
    { perhapsSentBefore, cause }: { readonly perhapsSentBefore: boolean; readonly cause: Cause },
  ): Promise<Payment> {
    crashPoint('payment.recover.before-psp');
    const outcome = await this.acquirers.send(payment, operation);
    crashPoint('payment.recover.after-psp');
    this.logger.info({ operationId: operation.id, outcome: outcome.kind }, 'an open order was sent');
    const { payment: after } = await this.recorder.record({
      name: 'recover',
      paymentId: payment.paymentId,
      operationId: operation.id,
      outcome,
      perhapsSentBefore,
      fence,
      cause,
    });
    return after;
  }
}
