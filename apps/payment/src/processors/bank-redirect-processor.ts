import { Injectable } from '@nestjs/common';
import type { PaymentMethodRequest } from '@payflow/contracts';

import { NOT_A_CARD, type PaymentMethod } from '../domain/payment.js';
import type { MethodCheck, PaymentProcessor } from './payment-processor.js';

type RedirectMethod = Extract<PaymentMethodRequest, { type: 'bank_redirect' }>;

/**
 * The payer pays on the page of his bank: every authorization begins with REQUIRES_ACTION, and is a sale. There is
 * nothing to check beforehand, and no card, so the vault has no part in it.
 */
@Injectable()
export class BankRedirectProcessor implements PaymentProcessor<'bank_redirect'> {
  readonly type = 'bank_redirect';
  readonly paidAtOnce = true;

  check({ bank }: RedirectMethod): Promise<MethodCheck> {
    const paymentMethod: PaymentMethod = { type: this.type, ...NOT_A_CARD, ...(bank === undefined ? {} : { bank }) };
    return Promise.resolve({ usable: true, paymentMethod });
  }
}
