import { Injectable } from '@nestjs/common';
import type { PaymentMethodRequest } from '@payflow/contracts';

import { Acquirers } from '../clients/acquirers.js';
import type { AcquirerOutcome } from '../domain/commands.js';
import type { Operation, Payment, PaymentMethod } from '../domain/payment.js';
import type { InquiryAnswer } from '../domain/saga.js';
import type { MethodCheck, PaymentProcessor } from './payment-processor.js';

type RedirectMethod = Extract<PaymentMethodRequest, { type: 'bank_redirect' }>;

/**
 * The payer pays on the page of his bank: every authorization begins with REQUIRES_ACTION, and is a sale. There is
 * nothing to check beforehand, and no card, so the vault has no part in it.
 */
@Injectable()
export class BankRedirectProcessor implements PaymentProcessor<'bank_redirect'> {
  readonly type = 'bank_redirect';

  constructor(private readonly acquirers: Acquirers) {}

  check({ bank }: RedirectMethod): Promise<MethodCheck> {
    const paymentMethod: PaymentMethod = {
      type: this.type,
      token: null,
      brand: null,
      last4: null,
      fingerprint: null,
      ...(bank === undefined ? {} : { bank }),
    };
    return Promise.resolve({ usable: true, paymentMethod });
  }

  async send(payment: Payment, operation: Operation): Promise<AcquirerOutcome> {
    return await this.acquirers.send(payment, operation);
  }

  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    return await this.acquirers.inquire(payment, operation);
  }
}
