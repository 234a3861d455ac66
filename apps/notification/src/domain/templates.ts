import { unreachable } from '@payflow/kernel';

import { amountText } from './amount-text.js';
import type { Channel, Message } from './message.js';

/** What only the moment of sending knows. */
export interface Particulars {
  /** Opened. Null for a message without one. */
  readonly code: string | null;
  /** As the person calls it: several may have given this address, and the code of each is good for his own account. */
  readonly account: string;
}

/** A message as it is sent. An SMS has a text alone. */
export interface Letter {
  readonly subject: string | null;
  readonly text: string;
  readonly html: string | null;
}

interface Draft {
  readonly subject: string;
  /** The first says it all: it is the SMS. */
  readonly paragraphs: readonly [string, ...string[]];
}

/** The one place with the words. */
export const letterOf = (message: Message, channel: Channel, particulars: Particulars): Letter => {
  const { subject, paragraphs } = draftOf(message, particulars);
  if (channel === 'sms') return { subject: null, text: paragraphs[0], html: null };
  return { subject, text: paragraphs.join('\n\n'), html: page(subject, paragraphs) };
};

const draftOf = (message: Message, { code, account }: Particulars): Draft => {
  switch (message.kind) {
    case 'verification':
      return {
        subject: 'Your PayFlow code',
        paragraphs: [
          `Your PayFlow code is ${code ?? ''}, for the account ${account}. It is good for 10 minutes. If you did not ask for it, do not type it anywhere: somebody has given your address.`,
        ],
      };
    case 'password_reset':
      return {
        subject: 'Your PayFlow code for a new password',
        paragraphs: [
          `Your code for a new PayFlow password is ${code ?? ''}, for the account ${account}. It is good for 10 minutes. If you did not ask for it, do nothing: your password stays.`,
        ],
      };
    case 'already_registered':
      return {
        subject: 'You have a PayFlow account already',
        paragraphs: [
          'Somebody, perhaps you, opened a PayFlow account with this address. You have one already: log in, or ask for a new password. If it was not you, do nothing.',
        ],
      };
    case 'payment_receipt':
      return {
        subject: `Receipt: ${amountOf(message)}`,
        paragraphs: [
          `You paid ${amountOf(message)} to ${message.merchantId}. Payment ${message.paymentId}.`,
          ...(message.capturedTotal === message.amount
            ? []
            : [`Of this payment ${amountText(message.capturedTotal, message.currency)} have been taken so far.`]),
          `Reference of this charge: ${message.captureId}. Keep this message as your receipt.`,
        ],
      };
    case 'payment_failed':
      return {
        subject: `Your payment of ${amountOf(message)} did not go through`,
        paragraphs: [
          `Your payment of ${amountOf(message)} to ${message.merchantId} did not go through. No money was taken. Payment ${message.paymentId}.`,
          'You can try again, or pay in another way.',
        ],
      };
    case 'payment_refunded':
      return {
        subject: `Refund: ${amountOf(message)}`,
        paragraphs: [
          `${message.merchantId} has refunded you ${amountOf(message)}. Payment ${message.paymentId}.`,
          ...(message.refundedTotal === message.amount
            ? []
            : [`Of this payment ${amountText(message.refundedTotal, message.currency)} have been refunded in all.`]),
          `Reference: ${message.refundId}. Your bank may take some days to show it.`,
        ],
      };
    case 'refund_failed':
      return {
        subject: `Your refund of ${amountOf(message)} did not arrive`,
        paragraphs: [
          `The refund of ${amountOf(message)} by ${message.merchantId} that we told you of was refused by your bank. Payment ${message.paymentId}.`,
          `Reference: ${message.refundId}. The merchant can refund you again.`,
        ],
      };
    case 'wallet_received':
      return {
        subject: `You received ${amountOf(message)}`,
        paragraphs: [
          `${amountOf(message)} have arrived in your wallet ${message.walletId}.`,
          `Transaction ${message.transactionId}.`,
        ],
      };
    case 'payout_paid':
      return {
        subject: `Paid out: ${amountOf(message)}`,
        paragraphs: [
          `${amountOf(message)} have been paid out to your bank account. Payout ${message.payoutId}.`,
          ...(message.bankReference === null ? [] : [`The bank's reference: ${message.bankReference}.`]),
        ],
      };
    case 'payout_failed':
      return {
        subject: `Your payout of ${amountOf(message)} failed`,
        paragraphs: [
          `The bank refused your payout of ${amountOf(message)}${becauseOf(message)}. The money is in your balance again. Payout ${message.payoutId}.`,
          'Please check your bank account details.',
        ],
      };
    case 'payout_returned':
      return {
        subject: `Your payout of ${amountOf(message)} came back`,
        paragraphs: [
          `Your payout of ${amountOf(message)} came back from the bank${becauseOf(message)}. The money is in your balance again. Payout ${message.payoutId}.`,
          'Please check your bank account details.',
        ],
      };
    case 'dispute_opened':
      return {
        subject: `Dispute over ${amountOf(message)}: answer by ${dayOf(message.evidenceDueBy)}`,
        paragraphs: [
          `A payer disputes ${amountOf(message)} (${message.reason}). Send evidence by ${dayOf(message.evidenceDueBy)}. Dispute ${message.disputeId}, payment ${message.paymentId}.`,
          `The amount was taken back from your balance${message.fee === 0 ? '' : `, and a fee of ${amountText(message.fee, message.currency)} was charged`}. It comes back if you win.`,
        ],
      };
    default:
      return unreachable(message);
  }
};

const amountOf = ({ amount, currency }: { readonly amount: number; readonly currency: string }): string =>
  amountText(amount, currency);

const becauseOf = ({ reason }: { readonly reason: string | null }): string => (reason === null ? '' : ` (${reason})`);

/** The day in UTC: a date in words would need a locale. */
const dayOf = (time: string): string => time.slice(0, 'YYYY-MM-DD'.length);

const page = (subject: string, paragraphs: readonly string[]): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head>
<body>
${paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join('\n')}
<p>PayFlow</p>
</body></html>
`;

/** Reasons and references come from acquirers and banks. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
