import { Injectable } from '@nestjs/common';
import { VaultClient } from '@payflow/clients';
import type { PaymentMethodRequest, SwappedCard, TokenUsability } from '@payflow/contracts';
import { Problem } from '@payflow/service';

import type { MethodCheck, Payer, PaymentProcessor } from './payment-processor.js';

type CardMethod = Extract<PaymentMethodRequest, { type: 'card' }>;
type UnusableReason = Extract<TokenUsability, { usable: false }>['reason'];

const UNUSABLE: Readonly<Record<UnusableReason, string>> = {
  unknown: 'The token does not exist, or belongs to another merchant or user.',
  used: 'The token was for one authorization only and has been used.',
  expired: 'The token has expired.',
  deleted: 'The token was deleted.',
  card_expired: "The card's expiry date has passed.",
};

/** Cards: the vault says whether a token may be used, and puts the card into what is sent with it. */
@Injectable()
export class CardProcessor implements PaymentProcessor<'card'> {
  readonly type = 'card';
  readonly paidAtOnce = false;

  constructor(private readonly vault: VaultClient) {}

  /**
   * The vault need not be asked about a token that the gateway had it make for this very request. Outside requests cannot
   * say so: the gateway drops their `x-payflow-` headers. And were it forged on the inside, it would open nothing: the
   * vault judges the token again, its owner included, under its lock, when it is asked to send the card (`ForwardCard`),
   * and refuses. What would be wrong is the brand and the last four digits that the forger sees on his own payment.
   */
  async check(method: CardMethod, payer: Payer): Promise<MethodCheck> {
    const { swappedCard } = payer;
    if (swappedCard && isOf(swappedCard, method, payer)) return usable(swappedCard);
    try {
      const usability = await this.vault.usability(method.token, ownerOf(payer));
      return usability.usable ? usable(usability.token) : { usable: false, problem: unusable(usability.reason) };
    } catch (error) {
      return { usable: false, problem: error instanceof Problem ? error : unexpected(error) };
    }
  }
}

/** Another's token is a question for the vault, whose answer says what is wrong. */
const isOf = (card: SwappedCard, { token }: CardMethod, { merchantId, userId }: Payer): boolean =>
  card.tokenId === token &&
  (card.merchantId === null || card.merchantId === merchantId) &&
  (card.userId === null || card.userId === userId);

const ownerOf = (payer: Payer): { readonly merchantId: string; readonly userId?: string } => ({
  merchantId: payer.merchantId,
  ...(payer.userId === null ? {} : { userId: payer.userId }),
});

const usable = ({
  tokenId,
  brand,
  last4,
  bin,
  fingerprint,
}: Pick<SwappedCard, 'tokenId' | 'brand' | 'last4' | 'bin' | 'fingerprint'>): MethodCheck => ({
  usable: true,
  paymentMethod: { type: 'card', token: tokenId, brand, last4, fingerprint, bin },
});

const unusable = (reason: UnusableReason): Problem =>
  new Problem('token_unusable', {
    detail: UNUSABLE[reason],
    errors: [{ pointer: '/paymentMethod/token', code: reason, message: UNUSABLE[reason] }],
    extensions: { reason },
  });

const unexpected = (error: unknown): Problem =>
  new Problem('dependency_unavailable', { detail: 'The vault does not answer as agreed.', cause: error });
