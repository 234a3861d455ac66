import { Injectable } from '@nestjs/common';
import { Metrics } from '@payflow/service';
import { Counter } from 'prom-client';

import { type Payment, statusOf } from '../domain/payment.js';

/** Labels must be few: codes beyond these, which an acquirer may invent, count as `other`. */
const DECLINE_CODES = new Set([
  'acquirer_unavailable',
  'card_declined',
  'do_not_honor',
  'expired_card',
  'fraudulent',
  'generic_decline',
  'incorrect_cvc',
  'insufficient_funds',
  'lost_card',
  'processing_error',
  'stolen_card',
]);

const bucketOf = (payment: Payment): string => {
  if (!payment.failed || !payment.lastError) return 'none';
  const code = payment.lastError.declineCode ?? payment.lastError.code;
  return DECLINE_CODES.has(code) ? code : 'other';
};

/** Counts payments as they enter a status. */
@Injectable()
export class PaymentMetrics {
  private readonly payments: Counter<'status' | 'decline_code'>;

  constructor(metrics: Metrics) {
    this.payments = new Counter({
      name: 'payflow_payments_total',
      help: 'Payments by the status they entered, failed ones by decline code.',
      labelNames: ['status', 'decline_code'],
      registers: [metrics],
    });
  }

  observe(before: Payment, after: Payment): void {
    const status = statusOf(after);
    if (before.version > 0 && statusOf(before) === status) return;
    this.payments.inc({ status, decline_code: bucketOf(after) });
  }
}
