import { Injectable } from '@nestjs/common';
import type { CreatePaymentRequest } from '@payflow/contracts';
import { type Currency, currencyOf, type MerchantId, type PaymentId } from '@payflow/kernel';
import { InjectConfig, Problem } from '@payflow/service';

import type { CreatePayment } from '../domain/commands.js';
import type { PaymentConfig } from '../payment.config.js';

/** What every new payment goes through, intent or not: the currencies of this installation, and the request's fields. */
@Injectable()
export class NewPayments {
  constructor(@InjectConfig() private readonly config: PaymentConfig) {}

  /** @throws Problem currency_not_enabled */
  factsOf(paymentId: PaymentId, merchantId: MerchantId, body: CreatePaymentRequest): CreatePayment {
    return {
      at: new Date(),
      paymentId,
      merchantId,
      userId: body.userId ?? null,
      amountMinor: BigInt(body.amount),
      currency: this.enabled(body.currency),
      reference: body.reference ?? null,
      description: body.description ?? null,
      statementDescriptor: body.statementDescriptor ?? null,
      returnUrl: body.returnUrl ?? null,
      metadata: body.metadata ?? {},
      clientSecretHash: null,
      capture: body.capture ?? false,
    };
  }

  private enabled(code: string): Currency {
    const currency = currencyOf(code);
    if (currency !== undefined && this.config.ENABLED_CURRENCIES.has(currency)) return currency;
    throw new Problem('currency_not_enabled', {
      detail: `${code} is not enabled; enabled are ${[...this.config.ENABLED_CURRENCIES].join(', ')}.`,
      errors: [{ pointer: '/currency', code: 'not_enabled', message: 'is not enabled' }],
    });
  }
}
