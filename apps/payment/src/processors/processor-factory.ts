import { Injectable } from '@nestjs/common';
import type { PaymentMethodRequest, PaymentMethodType } from '@payflow/contracts';

import { BankRedirectProcessor } from './bank-redirect-processor.js';
import { CardProcessor } from './card-processor.js';
import type { MethodCheck, Payer, PaymentProcessor } from './payment-processor.js';
import { WalletProcessor } from './wallet-processor.js';

/** The one place that maps a payment method to its processor (Factory). A type without one does not compile. */
@Injectable()
export class ProcessorFactory {
  private readonly processors: { readonly [Type in PaymentMethodType]: PaymentProcessor<Type> };

  constructor(card: CardProcessor, wallet: WalletProcessor, bankRedirect: BankRedirectProcessor) {
    this.processors = { card, wallet, bank_redirect: bankRedirect };
  }

  processorFor<Type extends PaymentMethodType>(type: Type): PaymentProcessor<Type> {
    return this.processors[type];
  }

  async check(method: PaymentMethodRequest, payer: Payer): Promise<MethodCheck> {
    switch (method.type) {
      case 'card':
        return await this.processors.card.check(method, payer);
      case 'wallet':
        return await this.processors.wallet.check(method, payer);
      case 'bank_redirect':
        return await this.processors.bank_redirect.check(method, payer);
    }
  }
}
