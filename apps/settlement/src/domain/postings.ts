import type { ServicePosting } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';

import type { PayoutPosting } from './payout.js';

/** Of a merchant in a currency. */
export interface MoneyToPost {
  /** `po_…` of a payout; `bt_…` of a reserve. */
  readonly id: string;
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
}

const merchantPayable = (merchantId: string): string => `merchant:${merchantId}:payable`;
const merchantReserve = (merchantId: string): string => `merchant:${merchantId}:reserve`;
const bankInTransit = (bank: string): string => `bank:${bank}:in_transit`;
const bankCash = (bank: string): string => `bank:${bank}:cash`;

type Leg = readonly [from: string, to: string];

/** None of these accounts has a floor: they follow the facts, a merchant's debt included. */
const posting = (
  { merchantId, amountMinor, currency }: MoneyToPost,
  reference: string,
  type: string,
  legs: readonly Leg[],
  metadata: Readonly<Record<string, string>>,
): ServicePosting => ({
  reference,
  type,
  postings: legs.map(([from, to]) => ({ from, to, amount: minorToJson(amountMinor), currency })),
  accounts: [...new Set(legs.flat())].map((code) => ({ code, currency, floor: null })),
  merchantId,
  metadata,
});

/** The postings of a payout: out of the merchant's payable, paid by the bank, or back. A reference posts once for ever. */
export const payoutPosting = (money: MoneyToPost, bank: string, kind: PayoutPosting): ServicePosting => {
  const payable = merchantPayable(money.merchantId);
  const inTransit = bankInTransit(bank);
  const cash = bankCash(bank);
  const reference = `payout:${money.id}`;
  const metadata = { payoutId: money.id };
  switch (kind) {
    case 'debit':
      return posting(money, reference, 'PAYOUT', [[payable, inTransit]], metadata);
    case 'paid':
      return posting(money, `${reference}:paid`, 'PAYOUT_PAID', [[inTransit, cash]], metadata);
    case 'reversal':
      return posting(money, `${reference}:reversal`, 'PAYOUT_REVERSAL', [[inTransit, payable]], metadata);
    case 'redebit':
      return posting(money, `${reference}:redebit`, 'PAYOUT', [[payable, inTransit]], metadata);
    case 'returned':
      return posting(
        money,
        `${reference}:returned`,
        'PAYOUT_RETURN',
        [
          [cash, inTransit],
          [inTransit, payable],
        ],
        metadata,
      );
  }
};

/** What a batch keeps back, and what lets it go. */
export const reservePosting = (
  money: MoneyToPost,
  settlementId: string,
  kind: 'reserve' | 'release',
): ServicePosting => {
  const payable = merchantPayable(money.merchantId);
  const reserve = merchantReserve(money.merchantId);
  const reference = `reserve:${money.id}`;
  return kind === 'reserve'
    ? posting(money, reference, 'RESERVE', [[payable, reserve]], { settlementId })
    : posting(money, `${reference}:release`, 'RESERVE_RELEASE', [[reserve, payable]], { settlementId });
};
