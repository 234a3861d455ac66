import { type ServicePosting, WALLET_MERCHANT_ID } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';

import { availableAccount, postingReference, type WalletName } from '../domain/accounts.js';
import { bankCash, bankInTransit, merchantPayable } from '../domain/outside.js';
import type { WithdrawPosting } from '../domain/withdraw.js';

/** What is posted of a transaction, and on whose wallet. */
export interface MoneyToPost {
  readonly transactionId: string;
  readonly wallet: WalletName;
  readonly amountMinor: bigint;
  readonly currency: string;
}

type Leg = readonly [from: string, to: string];

const posting = (
  { transactionId, wallet, amountMinor, currency }: MoneyToPost,
  step: Parameters<typeof postingReference>[1],
  type: string,
  legs: readonly Leg[],
): ServicePosting => {
  const own = availableAccount(wallet);
  const codes = [...new Set(legs.flat())];
  return {
    reference: postingReference(transactionId, step),
    type,
    postings: legs.map(([from, to]) => ({ from, to, amount: minorToJson(amountMinor), currency })),
    // A wallet never falls below zero; the accounts of banks and of our own merchant follow the facts.
    accounts: codes.map((code) => ({ code, currency, floor: code === own ? 0 : null })),
    metadata: { walletTransactionId: transactionId },
  };
};

/** ADD: what the payment to PayFlow's wallet merchant has brought in goes to the wallet. */
export const additionPosting = (money: MoneyToPost, paymentId: string): ServicePosting => ({
  ...posting(money, undefined, 'ADD', [[merchantPayable(WALLET_MERCHANT_ID), availableAccount(money.wallet)]]),
  paymentId,
  merchantId: WALLET_MERCHANT_ID,
});

/** The postings of a withdrawal: out of the wallet, paid by the bank, or back. */
export const withdrawalPosting = (money: MoneyToPost, bank: string, kind: WithdrawPosting): ServicePosting => {
  const wallet = availableAccount(money.wallet);
  const inTransit = bankInTransit(bank);
  const cash = bankCash(bank);
  switch (kind) {
    case 'debit':
      return posting(money, undefined, 'WITHDRAW', [[wallet, inTransit]]);
    case 'paid':
      return posting(money, 'paid', 'WITHDRAW_PAID', [[inTransit, cash]]);
    case 'reversal':
      return posting(money, 'reversal', 'WITHDRAW_REVERSAL', [[inTransit, wallet]]);
    case 'returned':
      return posting(money, 'returned', 'WITHDRAW_RETURN', [
        [cash, inTransit],
        [inTransit, wallet],
      ]);
  }
};
