import type { PaymentSettled } from './events.js';

/** What a settlement says of one payment. */
export interface SettlementPart extends Omit<PaymentSettled, 'type' | 'at'> {
  readonly paymentId: string;
}

interface Lines {
  readonly settlementId: string;
  readonly acquirer: string;
  readonly bank: string;
  readonly lines: readonly {
    readonly paymentId: string;
    readonly balanceTransactionId: string;
    readonly gross: number;
    readonly fee: number;
    readonly net: number;
  }[];
}

/** One part for each payment, of all its lines: a capture and its refund settled together are one sum. */
export const partsOf = ({ settlementId, acquirer, bank, lines }: Lines): readonly SettlementPart[] => {
  const parts = new Map<string, SettlementPart>();
  for (const { paymentId, balanceTransactionId, gross, fee, net } of lines) {
    const part = parts.get(paymentId);
    parts.set(paymentId, {
      paymentId,
      settlementId,
      acquirer,
      bank,
      grossMinor: (part?.grossMinor ?? 0n) + BigInt(gross),
      feeMinor: (part?.feeMinor ?? 0n) + BigInt(fee),
      netMinor: (part?.netMinor ?? 0n) + BigInt(net),
      balanceTransactionIds: [...(part?.balanceTransactionIds ?? []), balanceTransactionId],
    });
  }
  return [...parts.values()];
};
