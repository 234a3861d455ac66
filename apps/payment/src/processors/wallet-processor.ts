import { WALLET_ACQUIRER } from '@payflow/contracts';
import { Injectable } from '@nestjs/common';
import type { PaymentMethodRequest } from '@payflow/contracts';
import { Problem } from '@payflow/service';

import { Acquirers } from '../clients/acquirers.js';
import { NOT_A_CARD } from '../domain/payment.js';
import type { MethodCheck, Payer, PaymentProcessor } from './payment-processor.js';

type WalletMethod = Extract<PaymentMethodRequest, { type: 'wallet' }>;

/**
 * A wallet of PayFlow's own. Who confirms is passed on, and the wallet service decides by it: its owner's own word holds the
 * money, anybody else's is put to the owner first. So nothing that a merchant sends takes money from a wallet.
 */
@Injectable()
export class WalletProcessor implements PaymentProcessor<'wallet'> {
  readonly type = 'wallet';
  readonly paidAtOnce = false;

  constructor(private readonly acquirers: Acquirers) {}

  check({ walletId, consent }: WalletMethod, { confirmedBy }: Payer): Promise<MethodCheck> {
    if (!this.acquirers.named(WALLET_ACQUIRER)) return Promise.resolve({ usable: false, problem: notEnabled() });
    const wallet = { walletId, confirmedBy, consent: consent ?? null };
    return Promise.resolve({ usable: true, paymentMethod: { type: this.type, ...NOT_A_CARD, wallet } });
  }
}

/** An installation without the wallet service. */
const notEnabled = (): Problem =>
  new Problem('payment_method_not_enabled', {
    detail: 'Payments by wallet are not enabled.',
    errors: [{ pointer: '/paymentMethod/type', code: 'not_enabled', message: 'is not enabled' }],
  });
