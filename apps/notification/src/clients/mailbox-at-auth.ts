import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ServiceClient } from '@payflow/clients';
import { mailboxSchema } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';
import type { z } from 'zod';

import type { NotificationConfig } from '../notification.config.js';

const TIMEOUT_MS = 2_000;

export type Mail = z.infer<typeof mailboxSchema>['data'][number];

/** The codes that auth has issued in demo mode, as it told them: known there before their events are here. */
@Injectable()
export class MailboxAtAuth implements OnApplicationShutdown {
  private readonly client: ServiceClient;

  constructor(@InjectConfig() config: Pick<NotificationConfig, 'AUTH_URL'>) {
    this.client = new ServiceClient({ service: 'auth', url: config.AUTH_URL });
  }

  /** @throws ServiceUnavailableError */
  async read(to: string | undefined): Promise<readonly Mail[]> {
    const query = { to };
    const asked = { method: 'GET', path: '/dev/mailbox', query, timeoutMs: TIMEOUT_MS, answer: mailboxSchema } as const;
    return (await this.client.request(asked)).data;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
