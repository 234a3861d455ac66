import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RemoteProblem, ServiceClient } from '@payflow/clients';
import { merchantSchema } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';

import type { WalletConfig } from '../wallet.config.js';
import { WalletCalls } from './service-calls.js';

const TIMEOUT_MS = 2_000;

/** Auth, asked whom somebody is about to pay. */
@Injectable()
export class MerchantsAtAuth implements OnApplicationShutdown {
  private readonly client: ServiceClient;

  constructor(calls: WalletCalls, @InjectConfig() config: WalletConfig) {
    this.client = new ServiceClient({ service: 'auth', url: config.AUTH_URL, accessToken: calls.serviceToken });
  }

  /** The name of a merchant who may be paid; undefined when there is none, or he is blocked. @throws ServiceUnavailableError */
  async payableName(merchantId: string): Promise<string | undefined> {
    try {
      const { name, status } = await this.client.request({
        method: 'GET',
        path: `/merchants/${encodeURIComponent(merchantId)}`,
        timeoutMs: TIMEOUT_MS,
        answer: merchantSchema,
      });
      return status === 'ACTIVE' ? name : undefined;
    } catch (error) {
      if (error instanceof RemoteProblem && [400, 404].includes(error.status)) return undefined;
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
