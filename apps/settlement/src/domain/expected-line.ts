import type { PaymentEventPayload, ReportLineType } from '@payflow/contracts';

/** What an event of ours says that the other side must tell of. */
export interface Expectation {
  readonly source: string;
  readonly type: ReportLineType;
  readonly reference: string;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
}

type MovingFact = {
  [Name in 'captured' | 'refunded' | 'refundFailed' | 'disputeOpened' | 'disputeClosed']: {
    readonly event: Name;
    readonly payload: PaymentEventPayload<Name>;
  };
}['captured' | 'refunded' | 'refundFailed' | 'disputeOpened' | 'disputeClosed'];
export type PaymentFact = MovingFact;

/** Undefined: no money moved at an acquirer. */
export const expectationOf = (fact: PaymentFact, walletAcquirer: string): Expectation | undefined => {
  const line = movementOf(fact);
  const { acquirer, paymentId, merchantId, currency } = fact.payload;
  // A payment from a wallet moved within our own books.
  if (line === undefined || acquirer === walletAcquirer) return undefined;
  return { source: `acquirer:${acquirer}`, paymentId, merchantId, currency, ...line };
};

const movementOf = (fact: PaymentFact): Pick<Expectation, 'type' | 'reference' | 'amountMinor'> | undefined => {
  const amountMinor = BigInt(fact.payload.amount);
  switch (fact.event) {
    case 'captured':
      return { type: 'capture', reference: fact.payload.captureId, amountMinor };
    case 'refunded':
      return { type: 'refund', reference: fact.payload.refundId, amountMinor: -amountMinor };
    case 'refundFailed':
      // Otherwise it was never told as refunded.
      return fact.payload.reversed
        ? { type: 'refund_reversal', reference: fact.payload.refundId, amountMinor }
        : undefined;
    case 'disputeOpened':
      return { type: 'chargeback', reference: fact.payload.acquirerReference, amountMinor: -amountMinor };
    case 'disputeClosed':
      return fact.payload.status === 'WON'
        ? { type: 'chargeback_reversal', reference: fact.payload.acquirerReference, amountMinor }
        : undefined;
  }
};
