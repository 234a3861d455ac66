import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Logger, Problem, runInContext } from '@payflow/service';

import { openAttempt, type Payment, statusOf } from '../domain/payment.js';
import { loadPayment } from './load-payment.js';
import { ResolveOrders } from './resolve-orders.js';

/** Where the payer goes on, or nothing: then he is told that he can close the page. */
export interface PayerReturn {
  readonly location: string | undefined;
}

/** The payer waits for the page: after that he goes on, and the news reaches the merchant by itself. */
const ASKING_MS_MAX = 3_000;

const CAUSE = { requestId: 'payer-return', principalId: 'payer' };

/**
 * GET /payments/{id}/return: the payer comes back from a challenge or from his bank. What became of it is asked at the
 * acquirer first, so that the merchant's page finds the payment as it is; the payer's word counts for nothing.
 */
@Injectable()
export class ReturnPayer {
  constructor(
    private readonly database: Database,
    private readonly orders: ResolveOrders,
    private readonly logger: Logger,
  ) {}

  /** @throws Problem payment_not_found */
  async run(paymentId: string): Promise<PayerReturn> {
    const payment = await loadPayment(this.database, paymentId);
    if (!payment) throw new Problem('payment_not_found');
    const attempt = openAttempt(payment);
    const after = attempt?.state === 'action_required' ? await this.asked(payment, attempt.id) : payment;
    return { location: locationOf(after) };
  }

  private async asked(payment: Payment, operationId: string): Promise<Payment> {
    const { paymentId } = payment;
    return await runInContext({ paymentId, requestId: CAUSE.requestId }, async () => {
      const asking = this.orders
        .resolve(paymentId, operationId, CAUSE)
        .then((resolution) => resolution.payment ?? payment)
        .catch((error: unknown) => {
          this.logger.warn({ err: error, operationId }, 'nothing was learned when the payer came back');
          return payment;
        });
      return await Promise.race([asking, later(payment)]);
    });
  }
}

const later = async (payment: Payment): Promise<Payment> =>
  await new Promise((resolve) => {
    setTimeout(() => {
      resolve(payment);
    }, ASKING_MS_MAX).unref();
  });

/** The merchant's address with the payment and its status: hints for his page, which reads the payment itself. */
const locationOf = (payment: Payment): string | undefined => {
  if (payment.returnUrl === null) return undefined;
  const url = new URL(payment.returnUrl);
  url.searchParams.set('paymentId', payment.paymentId);
  url.searchParams.set('status', statusOf(payment));
  return url.toString();
};
