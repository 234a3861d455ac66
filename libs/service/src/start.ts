import { setTimeout as wait } from 'node:timers/promises';

import { migrate } from '@payflow/postgres';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, NestFactory, Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger as NestPinoLogger, PinoLogger } from 'nestjs-pino';
import type { Logger as PinoInstance } from 'pino';
import type { MigrationInterface } from 'typeorm';

import { requireAccessRules, routesOf } from './access-check.js';
import { AccessGuard } from './access-guard.js';
import { AccessTokens } from './access-tokens.js';
import { AllowedMethods } from './allowed-methods.js';
import { Closing } from './closing.js';
import { type Environment, loadDatabaseConfig, loadHttpConfig } from './config.js';
import { createAdapter, equip } from './http-server.js';
import { Lifecycle } from './lifecycle.js';
import { createLogger, Logger } from './log.js';
import { Metrics } from './metrics.js';
import { OpenApi } from './openapi.js';
import { ProblemFilter } from './problem-filter.js';
import { ENVIRONMENT } from './service-module.js';
import { SERVICE_PORTS, type ServiceName } from './service-name.js';
import { tlsOptionsOf } from './tls.js';
import { Transports } from './transports.js';
import { ValidationPipe } from './validation.js';

/** A class with @Module. */
export type NestModuleClass = Type;

export interface ServiceOptions {
  readonly name: ServiceName;
  /** The root module; it imports ServiceModule.forRoot. */
  readonly module: NestModuleClass;
  readonly migrations?: readonly (new () => MigrationInterface)[];
  /** Settings; the process's own when left out. */
  readonly environment?: Environment;
}

const NEST_OPTIONS = {
  bodyParser: false,
  abortOnError: false,
  bufferLogs: true,
  routeConflictPolicy: { duplicate: 'error' },
} as const;

/**
 * The service, migrated and initialized, its consumers running, not listening: for tests (`inject()`), or to call
 * `listen()` on. `close()` also closes the database pool, last.
 */
export const createServiceApp = async (options: ServiceOptions): Promise<NestFastifyApplication> => {
  const environment = options.environment ?? process.env;
  const config = loadHttpConfig(environment);
  await applyMigrations(options, environment);
  const adapter = createAdapter(config, tlsOptionsOf(config));
  const closing = new Closing();
  const root = rootModule(options.module, environment, closing);
  // Nest declares its options as a class and documents plain objects.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const creating = NestFactory.create<NestFastifyApplication>(root, adapter, NEST_OPTIONS);
  const app = await creating.catch(async (error: unknown) => {
    // A provider has refused to be made; what the others opened before it must not stay open.
    await closing.run();
    throw error;
  });
  try {
    const logger = app.get(Logger);
    const allowedMethods = app.get(AllowedMethods);
    app.useLogger(nestLogger(logger));
    equip(adapter.getInstance(), {
      lifecycle: app.get(Lifecycle),
      logger,
      metrics: app.get(Metrics),
      allowedMethods,
    });
    requireAccessRules(routesOf(app.get(DiscoveryService), app.get(MetadataScanner), app.get(Reflector)));
    app.useGlobalFilters(new ProblemFilter(config, logger, allowedMethods));
    app.useGlobalGuards(new AccessGuard(app.get(Reflector), app.get(AccessTokens)));
    app.useGlobalPipes(new ValidationPipe());
    app.get(OpenApi).describe(app);
    closePoolsLast(app, closing);
    for (const strategy of app.get(Transports).all) app.connectMicroservice({ strategy });
    await app.init();
    await adapter.getInstance().ready();
    await app.startAllMicroservices();
    app.get(Lifecycle).startServing();
    return app;
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
};

/** Everything a service's main does: start, serve, stop gracefully, and end the process. */
export const runService = async (options: ServiceOptions): Promise<void> => {
  const config = loadHttpConfigOrExit();
  const logger = createLogger(options.name, config);
  process.on('unhandledRejection', (reason) => {
    logger.fatal({ err: reason }, 'a promise was rejected and nobody handled it');
    process.exit(1);
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an error was thrown and nobody handled it');
    process.exit(1);
  });
  try {
    const app = await createServiceApp(options);
    stopOnSignal(app, logger, config);
    await app.listen({ port: config.PORT ?? SERVICE_PORTS[options.name], host: config.HOST });
    logger.info({ address: await app.getUrl() }, 'listening');
  } catch (error) {
    logger.fatal({ err: error }, 'the service cannot start');
    process.exit(1);
  }
};

const loadHttpConfigOrExit = (): ReturnType<typeof loadHttpConfig> => {
  try {
    return loadHttpConfig(process.env);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
};

const applyMigrations = async (options: ServiceOptions, environment: Environment): Promise<void> => {
  if (options.migrations === undefined) return;
  const url = loadDatabaseConfig(environment).MIGRATION_DATABASE_URL;
  if (url !== undefined) await migrate(url, options.migrations);
};

@Module({})
class RootModule {}

/** The service's module with what its start adds: where settings come from, and what is closed last. */
export const rootModule = (module: NestModuleClass, environment: Environment, closing: Closing): DynamicModule => ({
  module: RootModule,
  global: true,
  imports: [module],
  providers: [
    { provide: ENVIRONMENT, useValue: environment },
    { provide: Closing, useValue: closing },
  ],
  exports: [ENVIRONMENT, Closing],
});

const nestLogger = (logger: Logger): NestPinoLogger =>
  new NestPinoLogger(new PinoLogger({ pinoHttp: { logger: logger as unknown as PinoInstance } }), {});

/** Nest runs its shutdown hooks module by module; the pools must outlive all of them. */
const closePoolsLast = (app: NestFastifyApplication, closing: Closing): void => {
  const closeApp = app.close.bind(app);
  app.close = async (): Promise<void> => {
    try {
      await closeApp();
    } finally {
      await closing.run();
    }
  };
};

const stopOnSignal = (
  app: NestFastifyApplication,
  logger: Logger,
  config: { readonly SHUTDOWN_GRACE_MS: number; readonly SHUTDOWN_UNREADY_MS: number },
): void => {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      logger.warn({ signal }, 'second signal: ended at once');
      process.exit(1);
    }
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('the stop took too long: ended at once');
      process.exit(1);
    }, config.SHUTDOWN_GRACE_MS).unref();
    void stopGracefully(app, config.SHUTDOWN_UNREADY_MS).then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

/**
 * Unready first, so that probes and proxies turn away while requests are still served; then the listener and idle
 * connections; then Nest's hooks (consumers stop, requests in flight finish, the relay flushes); pools last.
 */
const stopGracefully = async (app: NestFastifyApplication, unreadyMs: number): Promise<void> => {
  app.get(Lifecycle).startDraining();
  await wait(unreadyMs);
  const server = app.getHttpServer();
  server.close();
  server.closeIdleConnections();
  await app.close();
};
