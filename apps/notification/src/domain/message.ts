import { z } from 'zod';

const money = { amount: z.int(), currency: z.string() };
const payment = { paymentId: z.string(), merchantId: z.string(), ...money };
const code = { codeSealed: z.string(), expiresAt: z.iso.datetime().nullable() };
const payout = { payoutId: z.string(), merchantId: z.string(), ...money };

/**
 * Everything that is ever written to somebody: what it is about, without the words. It is kept like this, so that a code
 * lies sealed in the database until the moment it is sent.
 */
export const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('verification'), ...code }),
  z.object({ kind: z.literal('password_reset'), ...code }),
  z.object({ kind: z.literal('already_registered') }),
  z.object({ kind: z.literal('payment_receipt'), ...payment, captureId: z.string(), capturedTotal: z.int() }),
  z.object({ kind: z.literal('payment_failed'), ...payment }),
  z.object({ kind: z.literal('payment_refunded'), ...payment, refundId: z.string(), refundedTotal: z.int() }),
  z.object({ kind: z.literal('refund_failed'), ...payment, refundId: z.string() }),
  z.object({ kind: z.literal('wallet_received'), transactionId: z.string(), walletId: z.string(), ...money }),
  z.object({ kind: z.literal('payout_paid'), ...payout, bankReference: z.string().nullable() }),
  z.object({ kind: z.literal('payout_failed'), ...payout, reason: z.string().nullable() }),
  z.object({ kind: z.literal('payout_returned'), ...payout, reason: z.string().nullable() }),
  z.object({
    kind: z.literal('dispute_opened'),
    disputeId: z.string(),
    ...payment,
    fee: z.int(),
    reason: z.string(),
    evidenceDueBy: z.iso.datetime(),
  }),
]);

export type Message = z.infer<typeof messageSchema>;
export type MessageKind = Message['kind'];
export type Channel = 'email' | 'sms';

/** To whom: somebody whose addresses and wishes are looked up, or an address that is to be proven and so has none yet. */
export type Audience =
  | { readonly to: 'recipient'; readonly recipientId: string }
  | { readonly to: 'address'; readonly recipientId: string; readonly channel: Channel; readonly address: string };

/** What an event gives cause to say. */
export interface Announcement {
  readonly audience: Audience;
  readonly message: Message;
}

/** Nobody can switch these off: whoever types a code must be able to get one, and whoever's address is tried must know. */
export const isSecurityMessage = (kind: MessageKind): boolean =>
  kind === 'verification' || kind === 'password_reset' || kind === 'already_registered';

/** When it has become useless, which only codes do. */
export const expiryOf = (message: Message): string | null =>
  message.kind === 'verification' || message.kind === 'password_reset' ? message.expiresAt : null;
