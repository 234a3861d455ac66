import type { PaymentMethodRequest, PaymentMethodType, SwappedCard } from '@payflow/contracts';
import type { Problem } from '@payflow/service';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { Operation, Payment, PaymentMethod } from '../domain/payment.js';
import type { InquiryAnswer } from '../domain/saga.js';

export interface Payer {
  readonly merchantId: string;
  readonly userId: string | null;
  /** What the gateway says of the token that it had made of an inline card. */
  readonly swappedCard?: SwappedCard | undefined;
}

/** Whether a payment may be made with what the caller sent, told before anything is written. */
export type MethodCheck =
  | { readonly usable: true; readonly paymentMethod: PaymentMethod }
  | { readonly usable: false; readonly problem: Problem };

/** How one kind of payment method is paid with (Strategy). It keeps no state between calls. */
export interface PaymentProcessor<Type extends PaymentMethodType = PaymentMethodType> {
  readonly type: Type;

  /** Never throws: that the check could not be made is a problem too. */
  check(method: Extract<PaymentMethodRequest, { type: Type }>, payer: Payer): Promise<MethodCheck>;

  /**
   * Sends an operation that is committed. Its id is the key at the far side, so sending it again is harmless. Silence
   * and refusals are outcomes, not errors.
   */
  send(payment: Payment, operation: Operation): Promise<AcquirerOutcome>;

  /** Asks what became of an operation. It changes nothing at the far side. */
  inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer>;
}
