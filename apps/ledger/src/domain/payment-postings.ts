import type { PaymentEventPayload } from '@payflow/contracts';
import { type Currency, unreachable } from '@payflow/kernel';

import { feesRevenue, merchantAuthorized, merchantPayable, pspAuthorized, pspReceivable } from './chart-of-accounts.js';
import type { Posting } from './journal.js';

/** A payment's event, as far as the ledger needs it. */
export type PaymentFact =
  | { readonly event: 'created'; readonly payload: PaymentEventPayload<'created'> }
  | { readonly event: 'authorized'; readonly payload: PaymentEventPayload<'authorized'> }
  | { readonly event: 'captured'; readonly payload: PaymentEventPayload<'captured'> }
  | { readonly event: 'requiresAction'; readonly payload: PaymentEventPayload<'requiresAction'> }
  | { readonly event: 'expired'; readonly payload: PaymentEventPayload<'expired'> }
  | { readonly event: 'stuck'; readonly payload: PaymentEventPayload<'stuck'> }
  | { readonly event: 'failed'; readonly payload: PaymentEventPayload<'failed'> }
  | { readonly event: 'refunded'; readonly payload: PaymentEventPayload<'refunded'> }
  | { readonly event: 'canceled'; readonly payload: PaymentEventPayload<'canceled'> }
  | { readonly event: 'refundFailed'; readonly payload: PaymentEventPayload<'refundFailed'> };

/** What an event posts: the transaction's type, its postings, and the acquirer's word for it. None: no money moved. */
export interface PaymentPostings {
  readonly type: string;
  readonly postings: readonly Posting[];
  readonly acquirerReference: string | null;
}

const NOTHING: PaymentPostings = { type: 'NONE', postings: [], acquirerReference: null };

/**
 * The posting rules (spec §4). One transaction for each event:
 *
 * | event      | postings, debit → credit                                                                      |
 * |------------|-----------------------------------------------------------------------------------------------|
 * | authorized | AUTH: acquirer's hold memo → merchant's hold memo                                             |
 * | captured   | CAPTURE: acquirer receivable → merchant payable; FEE: merchant payable → fees;                |
 * |            | AUTH_RELEASE: merchant's hold memo → acquirer's hold memo, of all that left the hold          |
 * | refunded   | REFUND: merchant payable → acquirer receivable                                                |
 * | canceled, expired | AUTH_RELEASE of what was left of the hold                                              |
 * | refund.failed, reversed | REFUND_REVERSAL: acquirer receivable → merchant payable, what the refund had posted |
 * | the others | none: a refund is posted when it succeeded, so its failure before that takes nothing back      |
 */
export const postingsOf = (fact: PaymentFact): PaymentPostings => {
  switch (fact.event) {
    case 'created':
    case 'requiresAction':
    case 'stuck':
    case 'failed':
      return NOTHING;
    case 'refundFailed': {
      const { acquirer, merchantId, amount, reversed } = fact.payload;
      if (!reversed) return NOTHING;
      const currency = currencyIn(fact.payload);
      const postings = [
        posting('REFUND_REVERSAL', pspReceivable(acquirer), merchantPayable(merchantId), amount, currency),
      ];
      return { type: 'REFUND_REVERSAL', acquirerReference: null, postings };
    }
    case 'authorized': {
      const { acquirer, merchantId, acquirerReference, amount } = fact.payload;
      const currency = currencyIn(fact.payload);
      const postings = [posting('AUTH', pspAuthorized(acquirer), merchantAuthorized(merchantId), amount, currency)];
      return { type: 'AUTH', acquirerReference, postings };
    }
    case 'captured': {
      const { acquirer, merchantId, acquirerReference, amount, fee, released } = fact.payload;
      const currency = currencyIn(fact.payload);
      const postings = [
        posting('CAPTURE', pspReceivable(acquirer), merchantPayable(merchantId), amount, currency),
        posting('FEE', merchantPayable(merchantId), feesRevenue, fee, currency),
        posting('AUTH_RELEASE', merchantAuthorized(merchantId), pspAuthorized(acquirer), released, currency),
      ];
      return { type: 'CAPTURE', acquirerReference, postings: postings.filter(movesMoney) };
    }
    case 'refunded': {
      const { acquirer, merchantId, acquirerReference, amount } = fact.payload;
      const currency = currencyIn(fact.payload);
      const postings = [posting('REFUND', merchantPayable(merchantId), pspReceivable(acquirer), amount, currency)];
      return { type: 'REFUND', acquirerReference, postings };
    }
    case 'canceled':
    case 'expired': {
      const { acquirer, merchantId, released } = fact.payload;
      if (acquirer === null || released === 0) return NOTHING;
      const currency = currencyIn(fact.payload);
      const postings = [
        posting('AUTH_RELEASE', merchantAuthorized(merchantId), pspAuthorized(acquirer), released, currency),
      ];
      return { type: 'AUTH_RELEASE', acquirerReference: null, postings };
    }
    default:
      return unreachable(fact);
  }
};

const posting = (entryType: string, from: string, to: string, amount: number, currency: Currency): Posting => ({
  from,
  to,
  amountMinor: BigInt(amount),
  currency,
  entryType,
});

const movesMoney = ({ amountMinor }: Posting): boolean => amountMinor > 0n;

/** The contract's schema has refused every code that is no currency. */
const currencyIn = (payload: { readonly currency: string }): Currency => payload.currency as Currency;
