import type { PAYMENT_EVENTS, PAYOUT_EVENTS, USER_EVENTS, WALLET_EVENTS } from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import type { z } from 'zod';

import type { Announcement, Audience, Message } from './message.js';

type PayloadOf<Definition extends { readonly payload: z.ZodType }> = z.infer<Definition['payload']>;
type Captured = PayloadOf<typeof PAYMENT_EVENTS.captured>;
type Failed = PayloadOf<typeof PAYMENT_EVENTS.failed>;
type Refunded = PayloadOf<typeof PAYMENT_EVENTS.refunded>;
type RefundFailed = PayloadOf<typeof PAYMENT_EVENTS.refundFailed>;
type DisputeOpened = PayloadOf<typeof PAYMENT_EVENTS.disputeOpened>;
type CodeIssued = PayloadOf<typeof USER_EVENTS.codeIssued>;
type WalletTransaction = PayloadOf<typeof WALLET_EVENTS.transaction>;
type Payout = PayloadOf<typeof PAYOUT_EVENTS.paid>;

const NOTHING: readonly Announcement[] = [];

const toMerchant = (merchantId: string, message: Message): readonly Announcement[] => [
  { audience: { to: 'recipient', recipientId: merchantId }, message },
];

/** A merchant may name whatever he likes as the payer: only who has an account here is told. */
const toPerson = (userId: string | null, message: Message): readonly Announcement[] =>
  userId !== null && isId('usr', userId) ? [{ audience: { to: 'recipient', recipientId: userId }, message }] : NOTHING;

export const ofCapture = (captured: Captured): readonly Announcement[] => {
  const { userId, paymentId, merchantId, amount, currency, captureId, capturedTotal } = captured;
  const about = { paymentId, merchantId, amount, currency };
  return toPerson(userId, { kind: 'payment_receipt', ...about, captureId, capturedTotal });
};

/** Nothing of why: whoever tries cards that are not his would learn from it. */
export const ofFailure = ({ userId, paymentId, merchantId, amount, currency }: Failed): readonly Announcement[] =>
  toPerson(userId, { kind: 'payment_failed', paymentId, merchantId, amount, currency });

export const ofRefund = (refunded: Refunded): readonly Announcement[] => {
  const { userId, paymentId, merchantId, amount, currency, refundId, refundedTotal } = refunded;
  const about = { paymentId, merchantId, amount, currency };
  return toPerson(userId, { kind: 'payment_refunded', ...about, refundId, refundedTotal });
};

/** Only where the payer had been told of the refund: he is told that it is none. */
export const ofRefundFailure = (failed: RefundFailed): readonly Announcement[] => {
  const { userId, paymentId, merchantId, amount, currency, refundId, reversed } = failed;
  if (!reversed) return NOTHING;
  return toPerson(userId, { kind: 'refund_failed', paymentId, merchantId, amount, currency, refundId });
};

export const ofDispute = (opened: DisputeOpened): readonly Announcement[] => {
  const { merchantId, disputeId, paymentId, amount, currency, fee, reason, evidenceDueBy } = opened;
  const about = { disputeId, paymentId, merchantId, amount, currency };
  return toMerchant(merchantId, { kind: 'dispute_opened', ...about, fee, reason, evidenceDueBy });
};

export const ofPaidPayout = (payout: Payout): readonly Announcement[] =>
  toMerchant(payout.merchantId, {
    kind: 'payout_paid',
    ...subjectOf(payout),
    bankReference: payout.bankReference,
  });

export const ofFailedPayout = (payout: Payout): readonly Announcement[] =>
  toMerchant(payout.merchantId, { kind: 'payout_failed', ...subjectOf(payout), reason: payout.reason });

export const ofReturnedPayout = (payout: Payout): readonly Announcement[] =>
  toMerchant(payout.merchantId, { kind: 'payout_returned', ...subjectOf(payout), reason: payout.reason });

const subjectOf = ({ payoutId, merchantId, amount, currency }: Payout) => ({ payoutId, merchantId, amount, currency });

/** Money that came from somebody else. Of what he adds himself a person has the receipt of the payment. */
export const ofWalletTransaction = (transaction: WalletTransaction): readonly Announcement[] => {
  const { type, status, fromUserId, toUserId, toWalletId, transactionId, amount, currency } = transaction;
  const received = status === 'SUCCESS' && (type === 'TRANSFER' || type === 'REFUND') && fromUserId !== toUserId;
  if (!received || toWalletId === null) return NOTHING;
  return toPerson(toUserId, { kind: 'wallet_received', transactionId, walletId: toWalletId, amount, currency });
};

/** A code goes where it says, whoever's the address may turn out to be. */
export const ofCode = ({
  userId,
  channel,
  to,
  purpose,
  codeSealed,
  expiresAt,
}: CodeIssued): readonly Announcement[] => {
  const audience: Audience = { to: 'address', recipientId: userId ?? to, channel, address: to };
  if (purpose === 'already_registered') return [{ audience, message: { kind: purpose } }];
  // Without a code there is nothing to say.
  if (codeSealed === null) return NOTHING;
  return [{ audience, message: { kind: purpose, codeSealed, expiresAt } }];
};
