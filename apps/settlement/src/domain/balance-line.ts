import type { BalanceTransactionType, PaymentEventPayload } from '@payflow/contracts';
import { unreachable } from '@payflow/kernel';

/** A payment's event, as far as balances need it. */
export type PaymentFact = {
  readonly [Name in FactName]: { readonly event: Name; readonly payload: PaymentEventPayload<Name> };
}[FactName];
type FactName = 'captured' | 'refunded' | 'refundFailed' | 'disputeOpened' | 'disputeClosed';

/** What an event changes in what a merchant is owed: net = gross − fee, in minor units. */
export interface BalanceLine {
  readonly type: BalanceTransactionType;
  readonly acquirer: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  /** Ours: the capture, the refund, the dispute. */
  readonly reference: string;
  /** The acquirer's word for it, by which its report names it. */
  readonly acquirerReference: string | null;
}

/**
 * | event                   | type             | gross   | fee              |
 * |-------------------------|------------------|---------|------------------|
 * | captured                | capture          | amount  | its fee          |
 * | refunded                | refund           | −amount | 0: fees stay     |
 * | refund.failed, reversed | refund_failure   | amount  | 0                |
 * | dispute.opened          | dispute          | −amount | the dispute's    |
 * | dispute.closed, WON     | dispute_reversal | amount  | −what comes back |
 *
 * The same amounts as the ledger's posting rules, so that the balances and the merchant's accounts there agree. Undefined:
 * no money moved.
 */
export const lineOf = (fact: PaymentFact): BalanceLine | undefined => {
  switch (fact.event) {
    case 'captured': {
      const { acquirer, amount, fee, captureId, acquirerReference } = fact.payload;
      return line('capture', acquirer, amount, fee, captureId, acquirerReference);
    }
    case 'refunded': {
      const { acquirer, amount, refundId, acquirerReference } = fact.payload;
      return line('refund', acquirer, -amount, 0, refundId, acquirerReference);
    }
    case 'refundFailed': {
      const { acquirer, amount, refundId, reversed } = fact.payload;
      return reversed ? line('refund_failure', acquirer, amount, 0, refundId, null) : undefined;
    }
    case 'disputeOpened': {
      const { acquirer, amount, fee, disputeId, acquirerReference } = fact.payload;
      return line('dispute', acquirer, -amount, fee, disputeId, acquirerReference);
    }
    case 'disputeClosed': {
      const { acquirer, amount, status, feeReturned, disputeId, acquirerReference } = fact.payload;
      if (status !== 'WON') return undefined;
      return line('dispute_reversal', acquirer, amount, -feeReturned, disputeId, acquirerReference);
    }
    default:
      return unreachable(fact);
  }
};

const line = (
  type: BalanceTransactionType,
  acquirer: string,
  gross: number,
  fee: number,
  reference: string,
  acquirerReference: string | null,
): BalanceLine => ({
  type,
  acquirer,
  grossMinor: BigInt(gross),
  feeMinor: BigInt(fee),
  reference,
  acquirerReference,
});
