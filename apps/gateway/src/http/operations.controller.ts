import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Health, InjectConfig, Metrics, Public } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { type GatewayConfig, upstreamUrls } from '../gateway.config.js';
import { type Upstream, UPSTREAMS } from '../routing/route-table.js';

const CHECK_TIMEOUT_MS = 2_500;
/** Without these nobody pays. What the others do can wait; the simulator stands in for acquirers, which are not ours. */
const NEEDED: readonly Upstream[] = ['auth', 'payment', 'tokenization', 'ledger', 'wallet'];

interface ServiceHealth {
  readonly status: 'up' | 'down';
  /** What the service says of its own parts, or why it does not say it. */
  readonly checks: Readonly<Record<string, string>>;
}

const readinessSchema = z.object({ checks: z.record(z.string(), z.string()) });

/** What probes and scrapers ask: the gateway itself, and the whole behind it. */
@Public()
@ApiExcludeController()
@Controller()
export class OperationsController {
  constructor(
    private readonly health: Health,
    private readonly metrics: Metrics,
    @InjectConfig() private readonly config: GatewayConfig,
  ) {}

  /** The process runs. It asks no service: a restart of the gateway would not cure one. */
  @Get('/health/live')
  live(): { readonly status: 'up' } {
    return { status: 'up' };
  }

  /** The gateway and every service behind it; 503 when one that is needed is not ready. */
  @Get('/health/ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const urls = upstreamUrls(this.config);
    const own = this.health.report();
    const entries = await Promise.all(
      UPSTREAMS.map(async (service) => [service, await healthOf(urls[service])] as const),
    );
    const services = Object.fromEntries(entries);
    const { ready: ownReady, checks } = await own;
    const ready = ownReady && NEEDED.every((service) => services[service]?.status === 'up');
    await reply.code(ready ? 200 : 503).send({ status: ready ? 'up' : 'down', checks, services });
  }

  @Get('/metrics')
  async scrape(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', this.metrics.contentType).send(await this.metrics.metrics());
  }
}

const healthOf = async (url: string): Promise<ServiceHealth> => {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) });
    const { checks } = readinessSchema.parse(await response.json());
    return { status: response.ok ? 'up' : 'down', checks };
  } catch {
    // Which of the ways not to answer it is, the service's own log says; here it is not reachable.
    return { status: 'down', checks: { reachable: 'no' } };
  }
};
