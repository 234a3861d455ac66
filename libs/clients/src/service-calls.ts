import type { OnApplicationShutdown } from '@nestjs/common';
import type { AggregateKind } from '@payflow/contracts';
import type { ServiceName } from '@payflow/service';

import { ServiceTokens } from './service-tokens.js';

interface Credentials {
  readonly AUTH_URL: string;
  readonly SERVICE_CLIENT_SECRET: string;
}

/** With what a service calls the others: its own access token; and whom it asks for events that Kafka did not bring. */
export class ServiceCalls implements OnApplicationShutdown {
  private readonly tokens: ServiceTokens;

  constructor(
    service: ServiceName,
    { AUTH_URL: authUrl, SERVICE_CLIENT_SECRET: clientSecret }: Credentials,
    readonly ownerUrls: Partial<Record<AggregateKind, string>>,
  ) {
    this.tokens = new ServiceTokens({ authUrl, clientId: `svc_${service}`, clientSecret });
  }

  readonly serviceToken = async (): Promise<string> => await this.tokens.accessToken();

  async onApplicationShutdown(): Promise<void> {
    await this.tokens.close();
  }
}
