import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RemoteProblem, ServiceClient } from '@payflow/clients';
import { type InternalUser, internalUserSchema } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';

import type { OwnerRow } from '../store/owners.js';
import type { WalletConfig } from '../wallet.config.js';
import { WalletCalls } from './service-calls.js';

const TIMEOUT_MS = 2_000;

/** What a person is looked up by. */
export type PersonQuery = { readonly email: string } | { readonly phone: string } | { readonly username: string };

/** Auth, asked about people whom no event has told of yet, before they are refused something. */
@Injectable()
export class OwnersAtAuth implements OnApplicationShutdown {
  private readonly client: ServiceClient;

  constructor(calls: WalletCalls, @InjectConfig() config: WalletConfig) {
    this.client = new ServiceClient({ service: 'auth', url: config.AUTH_URL, accessToken: calls.serviceToken });
  }

  /** @throws ServiceUnavailableError */
  async byId(userId: string): Promise<OwnerRow | undefined> {
    return await this.ask(`/internal/users/${encodeURIComponent(userId)}`);
  }

  /** @throws ServiceUnavailableError */
  async find(query: PersonQuery): Promise<OwnerRow | undefined> {
    return await this.ask('/internal/users', { ...query });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }

  private async ask(path: string, query: Readonly<Record<string, string>> = {}): Promise<OwnerRow | undefined> {
    try {
      const answer = { method: 'GET', path, query, timeoutMs: TIMEOUT_MS, answer: internalUserSchema } as const;
      return ownerOf(await this.client.request(answer));
    } catch (error) {
      // A 404, or a name that auth cannot even read: nobody's.
      if (error instanceof RemoteProblem && [400, 404].includes(error.status)) return undefined;
      throw error;
    }
  }
}

const ownerOf = ({ name: _name, ...user }: InternalUser): OwnerRow => user;
