import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { crashPoint, currentContext, Logger, runInContext } from '@payflow/service';

import type { Payment } from '../domain/payment.js';
import type { Cause } from '../store/payment-events.js';
import { SagaSteps } from './saga-steps.js';

/**
 * Sends orders that no request waits for, right after they were committed. Should the process die before that, the order's
 * own timer is due, and recovery sends it.
 */
@Injectable()
export class SendOrders implements BeforeApplicationShutdown {
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly steps: SagaSteps,
    private readonly logger: Logger,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.settled();
  }

  begin(payment: Payment, operationId: string, cause: Cause): void {
    const work = this.send(payment, operationId, cause).finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }

  /** Returns when all that was begun has been sent, or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async send(payment: Payment, operationId: string, cause: Cause): Promise<void> {
    const context = { ...currentContext(), paymentId: payment.paymentId, requestId: cause.requestId };
    await runInContext(context, async () => {
      try {
        crashPoint('payment.review.before-send');
        await this.steps.goOn(payment, operationId, cause);
      } catch (error) {
        // Safe to go on: its timer brings it back.
        this.logger.warn({ err: error, operationId }, 'an order could not be sent');
      }
    });
  }
}
