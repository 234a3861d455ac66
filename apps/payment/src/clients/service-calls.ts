import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerClient, ServiceTokens, VaultClient } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';
import { FraudClient } from './fraud-client.js';

/** To the vault, for questions about tokens. */
const CONNECTIONS_FOR_CHECKS = 32;

/** The other services of PayFlow, called with this service's own token. */
@Injectable()
export class ServiceCalls implements OnApplicationShutdown {
  readonly tokens: ServiceTokens;
  readonly vault: VaultClient;
  readonly ledger: LedgerClient;
  /** Undefined in an installation without fraud. */
  readonly fraud: FraudClient | undefined;

  constructor(@InjectConfig() config: PaymentConfig) {
    this.tokens = new ServiceTokens({
      authUrl: config.AUTH_URL,
      clientId: 'svc_payment',
      clientSecret: config.SERVICE_CLIENT_SECRET,
    });
    const accessToken = this.accessToken;
    // Each order with a card keeps one as long as its acquirer takes: a slow one must leave enough for the others.
    const connectionsMax =
      Object.keys(config.ACQUIRERS).length * config.ACQUIRER_CONCURRENCY_MAX + CONNECTIONS_FOR_CHECKS;
    this.vault = new VaultClient({ url: config.TOKENIZATION_URL, accessToken, connectionsMax });
    this.ledger = new LedgerClient({ url: config.LEDGER_URL, accessToken });
    this.fraud = config.FRAUD_URL === undefined ? undefined : new FraudClient({ url: config.FRAUD_URL, accessToken });
  }

  readonly accessToken = async (): Promise<string> => await this.tokens.accessToken();

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.vault.close(), this.ledger.close(), this.fraud?.close(), this.tokens.close()]);
  }
}
