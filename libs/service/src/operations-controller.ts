import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { Access, Public } from './access.js';
import { crashPointsMet } from './crash-point.js';
import { Health } from './health.js';
import { Metrics } from './metrics.js';
import { OpenApi } from './openapi.js';

/** What probes, scrapers and the gateway ask of each service. */
@Public()
@ApiExcludeController()
@Controller()
export class OperationsController {
  constructor(
    private readonly health: Health,
    private readonly metrics: Metrics,
    private readonly openApi: OpenApi,
  ) {}

  /** The process runs. It never asks a dependency: a restart would not cure a database that is down. */
  @Get('/health/live')
  live(): { readonly status: 'up' } {
    return { status: 'up' };
  }

  @Get('/health/ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { ready, checks, information } = await this.health.report();
    await reply.code(ready ? 200 : 503).send({ status: ready ? 'up' : 'down', checks, information });
  }

  @Get('/metrics')
  async scrape(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', this.metrics.contentType).send(await this.metrics.metrics());
  }

  /** The places in the code where the fault drill may let this process die: those it has passed since it started. */
  @Get('/internal/crash-points')
  @Access('operations:read')
  crashPoints(): { readonly data: readonly string[] } {
    return { data: crashPointsMet() };
  }

  @Get('/openapi.json')
  openapi(): object {
    return this.openApi.document;
  }
}
