import { WALLET_ACQUIRER } from '@payflow/contracts';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { unreachable } from '@payflow/kernel';
import { InjectConfig, Logger } from '@payflow/service';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { Operation, Payment } from '../domain/payment.js';
import type { AcquirerHealth } from '../domain/routing.js';
import type { InquiryAnswer } from '../domain/saga.js';
import type { PaymentConfig } from '../payment.config.js';
import { AcquirerHttp } from './acquirer-http.js';
import { AcquirerLines } from './acquirer-lines.js';
import type { Acquirer, AcquirerDisputes } from './acquirer-port.js';
import { CardForwarder } from './card-forwarder.js';
import { PayflowDisputes } from './payflow-disputes.js';
import { PayflowAcquirer } from './payflow-acquirer.js';
import { ServiceCalls } from './service-calls.js';
import { StripeAcquirer } from './stripe/stripe-acquirer.js';
import { StripeHttp } from './stripe/stripe-http.js';
import { WalletAcquirer } from './wallet-acquirer.js';

/** The acquirers of this installation, each behind its own line. */
@Injectable()
export class Acquirers implements OnApplicationShutdown {
  private readonly http: AcquirerHttp;
  private readonly byName: ReadonlyMap<string, Acquirer>;
  /** Of those that tell of disputes. */
  private readonly disputes = new Map<string, AcquirerDisputes>();

  constructor(
    @InjectConfig() config: PaymentConfig,
    private readonly lines: AcquirerLines,
    cards: CardForwarder,
    services: ServiceCalls,
    logger: Logger,
  ) {
    this.http = new AcquirerHttp(config.ACQUIRER_TIMEOUT_MS, logger);
    const byName = new Map(
      Object.entries(config.ACQUIRERS).map(([name, settings]): [string, Acquirer] => {
        const { GATEWAY_URL: gatewayUrl, ACQUIRER_TIMEOUT_MS: timeoutMs } = config;
        if (typeof settings !== 'string') {
          const { secretKey, webhookSecret, apiBase } = settings;
          const options = { secretKey, webhookSecret, apiBase, gatewayUrl, timeoutMs };
          return [name, new StripeAcquirer(options, new StripeHttp(this.http, cards), logger)];
        }
        const webhookSecret = config.ACQUIRER_WEBHOOK_SECRETS[name];
        this.disputes.set(name, new PayflowDisputes({ name, address: settings }, this.http));
        return [name, new PayflowAcquirer({ address: settings, webhookSecret, gatewayUrl }, this.http, cards)];
      }),
    );
    const { WALLET_URL: url } = config;
    if (url !== undefined)
      byName.set(
        WALLET_ACQUIRER,
        new WalletAcquirer(
          { url, accessToken: services.accessToken, timeoutMs: config.ACQUIRER_TIMEOUT_MS },
          this.http,
          logger,
        ),
      );
    this.byName = byName;
  }

  /** In the order of the settings. */
  names(): readonly string[] {
    return [...this.byName.keys()];
  }

  named(name: string): Acquirer | undefined {
    return this.byName.get(name);
  }

  /** Undefined for an acquirer whose disputes PayFlow does not know. */
  disputesOf(name: string): AcquirerDisputes | undefined {
    return this.disputes.get(name);
  }

  namesWithDisputes(): readonly string[] {
    return [...this.disputes.keys()];
  }

  /** By name, in the order of the settings. */
  health(): ReadonlyMap<string, AcquirerHealth> {
    return new Map(
      [...this.byName].map(([name, { methods }]) => [name, { methods, breaker: this.lines.breakerOf(name) }]),
    );
  }

  /** Sends an order that is committed to its acquirer. Its id is the key there, so sending it again is harmless. */
  async send(payment: Payment, operation: Operation): Promise<AcquirerOutcome> {
    const acquirer = this.byName.get(operation.acquirer);
    if (!acquirer) return { kind: 'not_sent', reason: 'acquirer_unknown' };
    return await this.lines.send(operation.acquirer, async () => await give(acquirer, payment, operation));
  }

  /** Asks what became of an order. Asking changes nothing, so silence only means asking again. */
  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    const acquirer = this.byName.get(operation.acquirer);
    if (!acquirer) return { kind: 'no_answer', reason: 'acquirer_unknown' };
    return await acquirer.inquire(payment, operation);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.http.close();
  }
}

const give = async (acquirer: Acquirer, payment: Payment, operation: Operation): Promise<AcquirerOutcome> => {
  switch (operation.kind) {
    case 'authorize':
      return await acquirer.authorize(payment, operation);
    case 'capture':
      return await acquirer.capture(payment, operation);
    case 'void':
      return await (operation.reverses === null
        ? acquirer.void(payment, operation)
        : acquirer.reverse(payment, operation));
    case 'refund':
      return await acquirer.refund(payment, operation);
    default:
      return unreachable(operation);
  }
};
