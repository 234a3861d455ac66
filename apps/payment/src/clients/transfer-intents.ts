import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ServiceClient } from '@payflow/clients';
import { type ListTransferIntentsQuery, transferIntentListSchema, type TransferIntentView } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';
import { ServiceCalls } from './service-calls.js';

const TIMEOUT_MS = 3_000;

/** The payments between users, which the wallet service keeps (ADR 0015). */
@Injectable()
export class TransferIntents implements OnApplicationShutdown {
  private readonly wallet: ServiceClient | undefined;

  constructor(@InjectConfig() { WALLET_URL: url }: PaymentConfig, { accessToken }: ServiceCalls) {
    this.wallet = url === undefined ? undefined : new ServiceClient({ service: 'wallet', url, accessToken });
  }

  /** As payer or payee, newest first. None in an installation without wallets. @throws ServiceUnavailableError */
  async ofUser(userId: string, query: ListTransferIntentsQuery): Promise<readonly TransferIntentView[]> {
    const answer = await this.wallet?.request({
      method: 'GET',
      path: `/internal/users/${encodeURIComponent(userId)}/transfer-intents`,
      query: { ...query },
      timeoutMs: TIMEOUT_MS,
      answer: transferIntentListSchema,
    });
    return answer?.data ?? [];
  }

  async onApplicationShutdown(): Promise<void> {
    await this.wallet?.close();
  }
}
