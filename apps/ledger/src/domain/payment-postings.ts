import { type PaymentEventPayload, WALLET_ACQUIRER } from '@payflow/contracts';
import { type Currency, unreachable } from '@payflow/kernel';

import {
  bankCash,
  feesRevenue,
  merchantAuthorized,
  merchantPayable,
  pspAuthorized,
  pspReceivable,
} from './chart-of-accounts.js';
import type { Posting } from './journal.js';

/** A payment's event, as far as the ledger needs it. */
export type PaymentFact =
  | { readonly event: 'created'; readonly payload: PaymentEventPayload<'created'> }
  | { readonly event: 'authorized'; readonly payload: PaymentEventPayload<'authorized'> }
  | { readonly event: 'captured'; readonly payload: PaymentEventPayload<'captured'> }
  | { readonly event: 'requiresAction'; readonly payload: PaymentEventPayload<'requiresAction'> }
  | { readonly event: 'inReview'; readonly payload: PaymentEventPayload<'inReview'> }
  | { readonly event: 'settled'; readonly payload: PaymentEventPayload<'settled'> }
  | { readonly event: 'disputeOpened'; readonly payload: PaymentEventPayload<'disputeOpened'> }
  | { readonly event: 'disputeUpdated'; readonly payload: PaymentEventPayload<'disputeUpdated'> }
  | { readonly event: 'disputeClosed'; readonly payload: PaymentEventPayload<'disputeClosed'> }
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
 * | settled    | SETTLEMENT: bank cash → acquirer receivable, of what the acquirer pays for it (back, below zero); |
 * |            | none for the acquirer `wallet`, whose receivable is zero once a payment is captured            |
 * | dispute.opened | CHARGEBACK: merchant payable → acquirer receivable; CHARGEBACK_FEE: merchant payable → fees |
 * | dispute.closed, won | CHARGEBACK_REVERSAL and CHARGEBACK_FEE_REVERSAL: the way back                      |
 * | the others | none: a refund is posted when it succeeded, so its failure before that takes nothing back      |
 */
export const postingsOf = (fact: PaymentFact): PaymentPostings => {
  switch (fact.event) {
    case 'created':
    case 'inReview':
    case 'requiresAction':
    case 'disputeUpdated':
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
    case 'settled':
      return settlementPostings(fact.payload);
    case 'disputeOpened': {
      const { acquirer, merchantId, acquirerReference, amount, fee } = fact.payload;
      const currency = currencyIn(fact.payload);
      const postings = [
        posting('CHARGEBACK', merchantPayable(merchantId), pspReceivable(acquirer), amount, currency),
        posting('CHARGEBACK_FEE', merchantPayable(merchantId), feesRevenue, fee, currency),
      ];
      return { type: 'CHARGEBACK', acquirerReference, postings: postings.filter(movesMoney) };
    }
    case 'disputeClosed': {
      const { acquirer, merchantId, acquirerReference, amount, status, feeReturned } = fact.payload;
      if (status !== 'WON') return NOTHING;
      const currency = currencyIn(fact.payload);
      const postings = [
        posting('CHARGEBACK_REVERSAL', pspReceivable(acquirer), merchantPayable(merchantId), amount, currency),
        posting('CHARGEBACK_FEE_REVERSAL', feesRevenue, merchantPayable(merchantId), feeReturned, currency),
      ];
      return { type: 'CHARGEBACK_REVERSAL', acquirerReference, postings: postings.filter(movesMoney) };
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

/** What the acquirer pays in, or takes back where refunds and chargebacks are more. */
const settlementPostings = (payload: PaymentEventPayload<'settled'>): PaymentPostings => {
  const { acquirer, bank, gross } = payload;
  if (acquirer === WALLET_ACQUIRER || gross === 0) return NOTHING;
  const currency = currencyIn(payload);
  const [from, to] = gross > 0 ? [bankCash(bank), pspReceivable(acquirer)] : [pspReceivable(acquirer), bankCash(bank)];
  const postings = [posting('SETTLEMENT', from, to, Math.abs(gross), currency)];
  return { type: 'SETTLEMENT', acquirerReference: null, postings };
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
