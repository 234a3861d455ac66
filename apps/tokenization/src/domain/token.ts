import type { TokenResponse, TokenUsability } from '@payflow/contracts';
import { cardGoodUntil } from '@payflow/kernel';

/** What decides on a token's life. */
export interface TokenLife {
  readonly merchantId: string | null;
  readonly userId: string | null;
  readonly reusable: boolean;
  readonly expMonth: number;
  readonly expYear: number;
  /** Its number is one of the published test cards, whose expiry does not count in demo mode. */
  readonly testCard: boolean;
  readonly usedByPayment: string | null;
  readonly expiresAt: Date | null;
  readonly deletedAt: Date | null;
  /** The card is no longer in the vault: deleted, or erased some time after the last use. */
  readonly cardErased: boolean;
}

/** created → used (single-use only) · expired · deleted. Derived, so that no clock has to write it. */
export const statusOf = (token: TokenLife, at: Date): TokenResponse['status'] => {
  if (token.deletedAt !== null) return 'DELETED';
  if (!token.reusable && token.usedByPayment !== null) return 'USED';
  if (token.expiresAt !== null && at >= token.expiresAt) return 'EXPIRED';
  return 'ACTIVE';
};

/** For whom, when and under which rules a token is to be used. */
export interface Use {
  readonly merchantId: string;
  readonly userId: string | null;
  /** The payment that the card is to be forwarded for; null when only asking. */
  readonly paymentId: string | null;
  readonly at: Date;
  /** When the payment took it, if it had to wait since: its lifetime is judged by then. */
  readonly acceptedAt?: Date;
  readonly demoMode: boolean;
}

export type UnusableReason = Extract<TokenUsability, { usable: false }>['reason'];

/** Why the token cannot be used, in the order in which it is checked; undefined when it can. */
export const unusableReason = (token: TokenLife, use: Use): UnusableReason | undefined => {
  if (!boundTo(token, use)) return 'unknown';
  if (token.deletedAt !== null) return 'deleted';
  if (!token.reusable && token.usedByPayment !== null) {
    // The payment that used it may send again: the same attempt, whose answer the acquirer repeats, or the next one at
    // another acquirer.
    return token.usedByPayment === use.paymentId && !token.cardErased ? undefined : 'used';
  }
  if (token.expiresAt !== null && (use.acceptedAt ?? use.at) >= token.expiresAt) return 'expired';
  // It was accepted in time, and waited for longer than the vault keeps the card.
  if (token.cardErased) return 'expired';
  if (cardExpired(token, use.at, use.demoMode)) return 'card_expired';
  return undefined;
};

/**
 * A token that names a merchant works for that merchant alone, and one that names a user only for payments of that
 * user; a payment that names no user does not prove that it is his. A token always names at least one of them.
 */
const boundTo = (token: TokenLife, use: Use): boolean =>
  (token.merchantId === null || token.merchantId === use.merchantId) &&
  (token.userId === null || token.userId === use.userId);

export const cardExpired = (
  card: { readonly expMonth: number; readonly expYear: number; readonly testCard: boolean },
  at: Date,
  demoMode: boolean,
): boolean => at >= cardGoodUntil(card.expMonth, card.expYear) && !(demoMode && card.testCard);
