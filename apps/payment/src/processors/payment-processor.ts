import type { PaymentMethodRequest, PaymentMethodType, SwappedCard } from '@payflow/contracts';
import type { Problem } from '@payflow/service';

import type { PaymentMethod } from '../domain/payment.js';

export interface Payer {
  readonly merchantId: string;
  readonly userId: string | null;
  /** The person whose own token asks for the authorization; null when it is the merchant or a page of his. */
  readonly confirmedBy: string | null;
  /** What the gateway says of the token that it had made of an inline card. */
  readonly swappedCard?: SwappedCard | undefined;
}

/** Whether a payment may be made with what the caller sent, told before anything is written. */
export type MethodCheck =
  | { readonly usable: true; readonly paymentMethod: PaymentMethod }
  | { readonly usable: false; readonly problem: Problem };

/** What is peculiar to one kind of payment method (Strategy). The orders themselves go to the acquirers of the route. */
export interface PaymentProcessor<Type extends PaymentMethodType = PaymentMethodType> {
  readonly type: Type;

  /** Whoever authorizes has paid: there is nothing that could be held. */
  readonly paidAtOnce: boolean;

  /** Never throws: that the check could not be made is a problem too. */
  check(method: Extract<PaymentMethodRequest, { type: Type }>, payer: Payer): Promise<MethodCheck>;
}
