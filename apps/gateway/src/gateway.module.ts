import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import { Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectConfig, ServiceModule } from '@payflow/service';
import type { FastifyInstance } from 'fastify';

import { CardSwap } from './cards/card-swap.js';
import { type GatewayConfig, gatewayConfigSchema } from './gateway.config.js';
import { DocsController } from './http/docs.controller.js';
import { OperationsController } from './http/operations.controller.js';
import { OperatorViewsController } from './http/operator-views.controller.js';
import { TestHelpersController } from './http/test-helpers.controller.js';
import { Bulkheads } from './limits/bulkheads.js';
import { RateLimits } from './limits/rate-limits.js';
import { ApiDescription } from './openapi/api-description.js';
import { AllDeadLettersView } from './operations/all-dead-letters.js';
import { ServiceReads } from './operations/service-reads.js';
import { StuckView } from './operations/stuck.js';
import { KeyTokens } from './proxy/key-tokens.js';
import { Proxy } from './proxy/proxy.js';

/** Health and description are those of the whole here, so the service library's own routes for them stay out. */
const service = { ...ServiceModule.forRoot({ name: 'gateway', configSchema: gatewayConfigSchema, database: false }) };

/** What a browser's script may read of an answer beyond the body (Fetch standard, CORS-safelisted headers aside). */
const EXPOSED_HEADERS = [
  'ETag',
  'Idempotent-Replayed',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
];
const PREFLIGHT_SECONDS = 600;

@Module({
  imports: [{ ...service, controllers: [] }],
  controllers: [OperationsController, OperatorViewsController, TestHelpersController, DocsController],
  providers: [
    Proxy,
    KeyTokens,
    RateLimits,
    Bulkheads,
    CardSwap,
    ApiDescription,
    ServiceReads,
    AllDeadLettersView,
    StuckView,
  ],
})
export class GatewayModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly proxy: Proxy,
    @InjectConfig() private readonly config: GatewayConfig,
  ) {}

  async onModuleInit(): Promise<void> {
    const server = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    await server.register(helmet, {
      // Answers are data. Pages set a policy of their own (http/docs.controller.ts).
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      // Browsers ignore it on plain HTTP (RFC 6797 §8.1), but then it would be a promise that nobody keeps.
      strictTransportSecurity: this.config.TLS_CERT_FILE !== undefined,
      referrerPolicy: { policy: 'no-referrer' },
      xFrameOptions: { action: 'deny' },
    });
    await server.register(cors, {
      origin: this.config.CORS_ORIGINS.includes('*') ? '*' : [...this.config.CORS_ORIGINS],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_SECONDS,
      // Tokens travel in a header that scripts set themselves; no cookie is ever a credential here.
      credentials: false,
      // An OPTIONS that is no preflight is answered alike: refusing it would be an error in plain text.
      strictPreflight: false,
    });
    await this.proxy.register(server);
  }
}
