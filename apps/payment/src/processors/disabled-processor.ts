import type { PaymentMethodType } from '@payflow/contracts';
import { Problem } from '@payflow/service';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { InquiryAnswer } from '../domain/saga.js';
import type { MethodCheck, PaymentProcessor } from './payment-processor.js';

/** A method the contract knows and this installation does not take: refused before anything is written. */
export class DisabledProcessor<Type extends PaymentMethodType> implements PaymentProcessor<Type> {
  constructor(readonly type: Type) {}

  check(): Promise<MethodCheck> {
    const problem = new Problem('payment_method_not_enabled', {
      detail: `Payments by ${this.type} are not enabled.`,
      errors: [{ pointer: '/paymentMethod/type', code: 'not_enabled', message: 'is not enabled' }],
    });
    return Promise.resolve({ usable: false, problem });
  }

  send(): Promise<AcquirerOutcome> {
    return Promise.resolve({ kind: 'not_sent', reason: 'payment_method_not_enabled' });
  }

  inquire(): Promise<InquiryAnswer> {
    return Promise.resolve({ kind: 'no_answer', reason: 'payment_method_not_enabled' });
  }
}
