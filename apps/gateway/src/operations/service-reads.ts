import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RemoteProblem, ServiceClient } from '@payflow/clients';
import { InjectConfig, Logger } from '@payflow/service';
import type { z } from 'zod';

import { type GatewayConfig, upstreamUrls } from '../gateway.config.js';
import { type Upstream, UPSTREAMS } from '../routing/route-table.js';

const TIMEOUT_MS = 3_000;
const CONNECTIONS_MAX = 8;

export type Reading<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** The caller may not read it. */
  | { readonly kind: 'withheld' }
  /** The service is down, slow, or answers what nobody understands. */
  | { readonly kind: 'missing' };

/** Asks services in the caller's own name, so that each decides for itself what he may see. One that is down costs nobody the rest. */
@Injectable()
export class ServiceReads implements OnApplicationShutdown {
  private readonly clients: Readonly<Record<Upstream, ServiceClient>>;

  constructor(
    private readonly logger: Logger,
    @InjectConfig() config: GatewayConfig,
  ) {
    const urls = upstreamUrls(config);
    this.clients = Object.fromEntries(
      UPSTREAMS.map((service) => [
        service,
        new ServiceClient({ service, url: urls[service], connectionsMax: CONNECTIONS_MAX }),
      ]),
    ) as Record<Upstream, ServiceClient>;
  }

  async read<Schema extends z.ZodType>(
    service: Upstream,
    path: string,
    authorization: string,
    answer: Schema,
  ): Promise<Reading<z.output<Schema>>> {
    try {
      const request = { method: 'GET', path, authorization, timeoutMs: TIMEOUT_MS, answer } as const;
      return { kind: 'answered', answer: await this.clients[service].request(request) };
    } catch (error) {
      if (error instanceof RemoteProblem && error.status === 403) return { kind: 'withheld' };
      this.logger.warn({ err: error, upstream: service, path }, 'a service is missing in a view over all of them');
      return { kind: 'missing' };
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(Object.values(this.clients).map(async (client) => await client.close()));
  }
}
