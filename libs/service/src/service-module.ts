import { Database } from '@payflow/postgres';
import { type DynamicModule, Inject, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { z } from 'zod';

import { AccessTokens } from './access-tokens.js';
import { AllowedMethods } from './allowed-methods.js';
import { Closing } from './closing.js';
import { type Environment, loadConfig, loadDatabaseConfig, loadHttpConfig } from './config.js';
import { EventLoopDelay } from './event-loop.js';
import { Health } from './health.js';
import { Idempotency } from './idempotency.js';
import { IdempotencyCleanup } from './idempotency-cleanup.js';
import { Lifecycle } from './lifecycle.js';
import { createLogger, Logger } from './log.js';
import { Metrics } from './metrics.js';
import { OpenApi } from './openapi.js';
import { OperationsController } from './operations-controller.js';
import { RevocationFeed } from './revocation-feed.js';
import { Revocations } from './revocations.js';
import type { ServiceName } from './service-name.js';
import { Transports } from './transports.js';

export interface ServiceModuleOptions {
  readonly name: ServiceName;
  /** The service's own settings, with those of `baseConfigFields` it needs. */
  readonly configSchema: z.ZodType;
  /** Whether the service has a database of its own: provides Database and Idempotency. */
  readonly database: boolean;
  /** Whether the service keeps the journal of revocations itself, and so reads it where it is: auth. */
  readonly keepsRevocations?: true;
}

const CONFIG = Symbol('payflow:config');
/** Where settings come from: the process, or what a test passes to createServiceApp. */
export const ENVIRONMENT = Symbol('payflow:environment');

/** The service's validated settings. */
export const InjectConfig = (): ParameterDecorator & PropertyDecorator => Inject(CONFIG);

/** What every service stands on. Global: imported once, by the service's root module. */
@Module({})
export class ServiceModule {
  static forRoot(options: ServiceModuleOptions): DynamicModule {
    const providers = [
      ...httpProviders(options),
      ...(options.keepsRevocations === true ? [] : [revocationFeedProvider(options.name)]),
      ...(options.database ? databaseProviders(options) : []),
    ];
    return {
      module: ServiceModule,
      global: true,
      imports: [DiscoveryModule],
      controllers: [OperationsController],
      providers,
      exports: providers.map((provider) => ('provide' in provider ? provider.provide : provider)),
    };
  }
}

const httpProviders = (options: ServiceModuleOptions): Provider[] => [
  {
    provide: CONFIG,
    useFactory: (environment: Environment): unknown => loadConfig(options.configSchema, environment),
    inject: [ENVIRONMENT],
  },
  {
    provide: Logger,
    useFactory: (environment: Environment): Logger => createLogger(options.name, loadHttpConfig(environment)),
    inject: [ENVIRONMENT],
  },
  { provide: Metrics, useFactory: () => new Metrics() },
  { provide: Lifecycle, useFactory: () => new Lifecycle() },
  {
    provide: EventLoopDelay,
    useFactory: (closing: Closing) => {
      const delay = new EventLoopDelay();
      delay.start();
      closing.last(() => {
        delay.stop();
      });
      return delay;
    },
    inject: [Closing],
  },
  { provide: AllowedMethods, useFactory: () => new AllowedMethods() },
  { provide: Transports, useFactory: () => new Transports() },
  {
    provide: Health,
    useFactory: (lifecycle: Lifecycle, delay: EventLoopDelay) => new Health(lifecycle, delay),
    inject: [Lifecycle, EventLoopDelay],
  },
  {
    provide: AccessTokens,
    useFactory: (environment: Environment, revocations: Revocations) => {
      const { AUTH_URL: authUrl, ISSUER: issuer } = loadHttpConfig(environment);
      return new AccessTokens({ authUrl, issuer }, revocations);
    },
    inject: [ENVIRONMENT, Revocations],
  },
  { provide: Revocations, useFactory: () => new Revocations() },
  {
    provide: OpenApi,
    useFactory: (discovery: DiscoveryService, scanner: MetadataScanner, reflector: Reflector) =>
      new OpenApi(options.name, discovery, scanner, reflector),
    inject: [DiscoveryService, MetadataScanner, Reflector],
  },
];

const revocationFeedProvider = (name: ServiceName): Provider => ({
  provide: RevocationFeed,
  useFactory: (
    environment: Environment,
    revocations: Revocations,
    logger: Logger,
    health: Health,
    metrics: Metrics,
    closing: Closing,
  ) => {
    const { AUTH_URL: authUrl, SERVICE_CLIENT_SECRET: clientSecret } = loadHttpConfig(environment);
    const feed = new RevocationFeed({ authUrl, clientId: `svc_${name}`, clientSecret }, revocations, logger);
    feed.observeWith(health, metrics);
    feed.start();
    closing.last(() => feed.stop());
    return feed;
  },
  inject: [ENVIRONMENT, Revocations, Logger, Health, Metrics, Closing],
});

const databaseProviders = (options: ServiceModuleOptions): Provider[] => [
  {
    provide: Database,
    useFactory: async (
      environment: Environment,
      logger: Logger,
      health: Health,
      metrics: Metrics,
      closing: Closing,
    ) => {
      const config = loadDatabaseConfig(environment);
      const database = await Database.connect({
        url: config.DATABASE_URL,
        applicationName: options.name,
        poolSizeMax: config.DATABASE_POOL_MAX,
        onIdleError: (error) => {
          logger.warn({ err: error }, 'an idle database connection broke');
        },
      });
      closing.last(() => database.close());
      health.contributeDatabase(database);
      metrics.watchPool(database);
      return database;
    },
    inject: [ENVIRONMENT, Logger, Health, Metrics, Closing],
  },
  {
    provide: Idempotency,
    useFactory: (environment: Environment) =>
      new Idempotency({
        retentionSeconds: loadDatabaseConfig(environment).IDEMPOTENCY_RETENTION_SECONDS,
        gatewayUrl: loadHttpConfig(environment).GATEWAY_URL,
      }),
    inject: [ENVIRONMENT],
  },
  {
    provide: IdempotencyCleanup,
    useFactory: (environment: Environment, database: Database, logger: Logger) =>
      new IdempotencyCleanup(database, logger, loadDatabaseConfig(environment).IDEMPOTENCY_CLEANUP_INTERVAL_MS),
    inject: [ENVIRONMENT, Database, Logger],
  },
];
