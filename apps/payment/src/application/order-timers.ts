import { Injectable } from '@nestjs/common';
import { type Decision, newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import type { PaymentEvent } from '../domain/events.js';
import { giveUp, markStuck } from '../domain/give-up.js';
import type { Payment } from '../domain/payment.js';
import type { TimerRefusal } from '../domain/refusals.js';
import { lockStillTaken, type TakenOrder } from '../store/payment-attempts.js';
import type { Cause } from '../store/payment-events.js';
import { Commit } from './commit.js';
import { lockKnownPayment } from './load-payment.js';

/** What is decided because time has gone by, and only by whoever still has the order: silence proves nothing for ever. */
@Injectable()
export class OrderTimers {
  constructor(
    private readonly database: Database,
    private readonly commit: Commit,
  ) {}

  /** @returns the payment with the reversal that was ordered, and its id; undefined when there is nothing to give up */
  async giveUp(
    order: TakenOrder,
    cause: Cause,
  ): Promise<{ readonly payment: Payment; readonly voidId: string } | undefined> {
    const voidId = newId('vod');
    const payment = await this.decide(order, cause, (before) =>
      giveUp(before, { at: new Date(), operationId: order.attempt_id, voidId }),
    );
    crashPoint('payment.recover.after-give-up');
    return payment && { payment, voidId };
  }

  /** @returns the payment, handed to people; undefined when it was before, or has ended */
  async markStuck(order: TakenOrder, cause: Cause): Promise<Payment | undefined> {
    const { attempt_id: operationId, inquiries } = order;
    return await this.decide(order, cause, (before) => markStuck(before, { at: new Date(), operationId, inquiries }));
  }

  private async decide(
    order: TakenOrder,
    cause: Cause,
    decision: (before: Payment) => Decision<PaymentEvent, TimerRefusal>,
  ): Promise<Payment | undefined> {
    const written = await this.database.transaction(async (tx) => {
      const before = await lockKnownPayment(tx, order.payment_id);
      if (!(await lockStillTaken(tx, order))) return undefined;
      const decided = decision(before);
      return decided.ok ? await this.commit.write(tx, { before, events: decided.events, cause }) : undefined;
    });
    return written?.payment;
  }
}
