import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RemoteProblem, ServiceClient } from '@payflow/clients';
import { merchantSchema } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';

import type { SettlementConfig } from '../settlement.config.js';
import { SettlementCalls } from './service-calls.js';

const TIMEOUT_MS = 2_000;

/** Auth, asked whether there is a merchant before something is agreed on with him. */
@Injectable()
export class MerchantsAtAuth implements OnApplicationShutdown {
  private readonly client: ServiceClient;

  constructor(calls: SettlementCalls, @InjectConfig() config: SettlementConfig) {
    this.client = new ServiceClient({ service: 'auth', url: config.AUTH_URL, accessToken: calls.serviceToken });
  }

  /** @throws ServiceUnavailableError */
  async exists(merchantId: string): Promise<boolean> {
    try {
      await this.client.request({
        method: 'GET',
        path: `/merchants/${encodeURIComponent(merchantId)}`,
        timeoutMs: TIMEOUT_MS,
        answer: merchantSchema,
      });
      return true;
    } catch (error) {
      if (error instanceof RemoteProblem && [400, 404].includes(error.status)) return false;
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
