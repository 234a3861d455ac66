import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { Failure } from '../servers/failure.ts';
import { writePrivateJson } from '../servers/files.ts';
import { javaProgram, kafkaJars, requireKafkaJarsOrMaven } from '../servers/kafka-jars.ts';
import { runningKafka, startKafka, stopKafka } from '../servers/kafka.ts';
import { runningPostgres, startPostgres, stopPostgres } from '../servers/postgres.ts';
import {
  endProcess,
  isAlive,
  type ProcessRecord,
  recordOf,
  signalGroup,
  spawnDetached,
  tailOf,
} from '../servers/process.ts';
import { build, buildFingerprint } from './build.ts';
import { healthOf } from './health.ts';
import { DIRECT, type Links } from './links.ts';
import { REPOSITORY, type StackPaths } from './paths.ts';
import { portsFor } from './ports-of-services.ts';
import type { Progress } from './progress.ts';
import { provisionDatabases } from './provision.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import {
  type DatabaseAddresses,
  environmentOf,
  mainOf,
  presentServices,
  type Service,
  type ServiceName,
  type Surroundings,
} from './services.ts';
import type { StackSettings } from './settings.ts';
import { demoFileOf, readState, type ServerState, type StackState, writeState } from './state.ts';
import { Unit } from './unit.ts';

const READY_TIMEOUT_MS = 90_000;
const READY_POLL_MS = 100;
const WATCH_MS = 250;
/** Longer than a service's own limit for a graceful stop (25 s), so that it ends by itself. */
const SERVICE_STOP_GRACE_MS = 28_000;
/** A service needs a third of it; the limit keeps a leak from taking the machine. */
const NODE_SETTINGS = ['--max-old-space-size=256', '--enable-source-maps'];

interface RunningServers {
  readonly adminUrl: string;
  readonly kafkaBrokers: string;
}

interface RunningService {
  readonly service: Service;
  readonly port: number;
  readonly logFile: string;
  readonly fingerprint: string;
  readonly unit: Unit;
}

/** Thrown when a stop was asked for while still starting. */
class Stopped extends Error {}

/** The whole product on one machine: brought up, watched over, brought down. */
export class Stack {
  private readonly paths: StackPaths;
  private readonly settings: StackSettings;
  private readonly progress: Progress;
  private stopRequested = false;
  private servers: RunningServers | undefined;
  private secrets: Secrets | undefined;
  private postgres: Unit | undefined;
  private kafka: Unit | undefined;
  private readonly services = new Map<ServiceName, RunningService>();
  private readonly links: Links;
  private readonly nextStarts = new Map<ServiceName, Readonly<Record<string, string>>>();

  constructor(paths: StackPaths, settings: StackSettings, progress: Progress, links: Links = DIRECT) {
    this.paths = paths;
    this.settings = settings;
    this.progress = progress;
    this.links = links;
  }

  /** A process that is watched over; undefined for a server that is not ours. */
  unitOf(name: ServiceName | 'postgres' | 'kafka'): Unit | undefined {
    if (name === 'postgres') return this.postgres;
    if (name === 'kafka') return this.kafka;
    return this.services.get(name)?.unit;
  }

  /** Adds to the environment of a service's next start, and of that one only. */
  setForNextStart(name: ServiceName, environment: Readonly<Record<string, string>>): void {
    this.nextStarts.set(name, environment);
  }

  /** Starts or adopts everything; returns when all services are ready, or stops what it started and throws. */
  async bringUp(): Promise<'ready' | 'stopped'> {
    try {
      await this.start();
      return 'ready';
    } catch (error) {
      await this.bringDown();
      if (error instanceof Stopped) return 'stopped';
      throw error;
    }
  }

  /** Starts again whatever ends, until a stop is requested. */
  async superviseUntilStopped(): Promise<void> {
    while (!this.stopRequested) {
      for (const unit of this.units()) {
        unit.watch(
          (line) => {
            this.progress.warn(line);
          },
          () => {
            this.publish();
          },
        );
      }
      await wait(WATCH_MS);
    }
  }

  requestStop(): void {
    this.stopRequested = true;
  }

  /** The gateway first, so that no request enters any more; then the services, then Kafka, then Postgres. */
  async bringDown(): Promise<void> {
    this.stopRequested = true;
    for (const unit of this.units()) await unit.settled();
    const running = [...this.services.values()];
    if (running.length > 0) {
      await this.progress.step('Services stopped', 'requests in flight finish', async () => {
        for (const group of [running.filter(isGateway), running.filter((service) => !isGateway(service))]) {
          await Promise.all(group.map(({ unit }) => endProcess(unit.record, 'SIGTERM', SERVICE_STOP_GRACE_MS)));
        }
      });
    }
    if (this.kafka !== undefined) await this.progress.step('Kafka stopped', '', () => stopKafka(this.paths.kafka));
    if (this.postgres !== undefined) {
      await this.progress.step('Postgres stopped', '', () => stopPostgres(this.paths.postgres));
    }
    writeState(this.paths, { services: {} });
  }

  /** For the second Ctrl-C: everything ends now; Kafka and Postgres recover at the next start. */
  killAll(): void {
    for (const unit of this.units()) signalGroup(unit.record, 'SIGKILL');
  }

  private units(): readonly Unit[] {
    const servers = [this.postgres, this.kafka].filter((unit) => unit !== undefined);
    return [...servers, ...[...this.services.values()].map(({ unit }) => unit)];
  }

  private async start(): Promise<void> {
    const present = presentServices();
    const former = readState(this.paths);
    const ports = await portsFor(present, this.settings, former);
    if (this.settings.kafkaBrokers === undefined) {
      await javaProgram();
      await requireKafkaJarsOrMaven(this.paths.kafkaJars);
    }
    this.secrets = loadSecrets(this.paths);

    const building = this.progress.step('Built', 'cached when nothing changed', () => build(this.paths.logs));
    const [built, servers] = await Promise.allSettled([building, this.startServers(former)]);
    if (built.status === 'rejected') throw built.reason;
    if (servers.status === 'rejected') throw servers.reason;
    this.servers = servers.value;
    this.checkpoint();

    const databases = await provisionDatabases(servers.value.adminUrl, present, this.secrets);
    this.checkpoint();
    const surroundings: Surroundings = {
      urls: Object.fromEntries(
        Object.entries(ports).map(([name, port]) => [name, `http://127.0.0.1:${String(port)}`]),
      ) as Record<ServiceName, string>,
      kafkaBrokers: servers.value.kafkaBrokers,
      secrets: this.secrets,
    };
    await this.progress.step(
      `${String(present.length)} services ready`,
      'each migrates its database, then joins Kafka',
      () => this.startServices(present, ports, surroundings, databases, former),
    );
    this.publish();
  }

  private checkpoint(): void {
    if (this.stopRequested) throw new Stopped();
  }

  // Servers

  private async startServers(former: StackState): Promise<RunningServers> {
    const [adminUrl, kafkaBrokers] = await Promise.allSettled([this.startPostgres(former), this.startKafka(former)]);
    if (adminUrl.status === 'rejected') throw adminUrl.reason;
    if (kafkaBrokers.status === 'rejected') throw kafkaBrokers.reason;
    return { adminUrl: adminUrl.value, kafkaBrokers: kafkaBrokers.value };
  }

  private async startPostgres(former: StackState): Promise<string> {
    if (this.settings.databaseUrl !== undefined) {
      this.progress.note(`Postgres: yours at ${new URL(this.settings.databaseUrl).host} (DATABASE_URL)`);
      return this.settings.databaseUrl;
    }
    const logFile = join(this.paths.logs, 'postgres.log');
    const options = {
      directory: this.paths.postgres,
      logFile,
      report: (line: string) => {
        this.progress.note(line);
      },
    };
    const adopted = await runningPostgres(this.paths.postgres);
    const server =
      adopted ??
      (await this.progress.step('Postgres 18 started', '', () =>
        startPostgres({
          ...options,
          ...(this.settings.postgresPort === undefined ? {} : { port: this.settings.postgresPort }),
        }),
      ));
    if (adopted !== undefined) this.progress.note(`Postgres still ran (process ${String(adopted.pid)}): adopted`);
    this.postgres = new Unit(
      {
        name: 'Postgres',
        start: () => startPostgres({ ...options, port: server.port }),
        lastWords: () => tailOf(logFile, 1),
      },
      server,
      adopted === undefined ? 0 : (former.postgres?.restarts ?? 0),
    );
    return server.adminUrl;
  }

  private async startKafka(former: StackState): Promise<string> {
    if (this.settings.kafkaBrokers !== undefined) {
      this.progress.note(`Kafka: yours at ${this.settings.kafkaBrokers} (KAFKA_BROKERS)`);
      return this.settings.kafkaBrokers;
    }
    const logFile = join(this.paths.logs, 'kafka.log');
    const { kafka: proxied } = this.links;
    const options = {
      directory: this.paths.kafka,
      logFile,
      jarCache: this.paths.kafkaJars,
      ...(proxied === undefined ? {} : { proxied }),
    };
    const adopted = await runningKafka(this.paths.kafka);
    if (adopted === undefined) {
      await kafkaJars(this.paths.kafkaJars, (line) => {
        this.progress.note(line);
      });
      this.checkpoint();
    }
    const server =
      adopted ??
      (await this.progress.step('Apache Kafka 4.1 started', '', () =>
        startKafka({
          ...options,
          ...(this.settings.kafkaPort === undefined ? {} : { port: this.settings.kafkaPort }),
        }),
      ));
    if (adopted !== undefined) this.progress.note(`Kafka still ran (process ${String(adopted.pid)}): adopted`);
    this.kafka = new Unit(
      {
        name: 'Kafka',
        start: () => startKafka({ ...options, port: server.port }),
        lastWords: () => tailOf(logFile, 1),
      },
      server,
      adopted === undefined ? 0 : (former.kafka?.restarts ?? 0),
    );
    return server.brokers;
  }

  // Services

  private async startServices(
    present: readonly Service[],
    ports: Readonly<Record<ServiceName, number>>,
    surroundings: Surroundings,
    databases: ReadonlyMap<string, DatabaseAddresses>,
    former: StackState,
  ): Promise<void> {
    for (const service of present) {
      const database = databases.get(service.name);
      const environment = environmentOf(
        service,
        await this.links.surroundingsOf(service, surroundings),
        database && (await this.links.databaseOf(service, database)),
      );
      const running = await this.startOrAdopt(service, ports[service.name], environment, former);
      this.services.set(service.name, running);
      this.publish();
    }
    await Promise.all([...this.services.values()].map((running) => this.waitUntilReady(running)));
  }

  private async startOrAdopt(
    service: Service,
    port: number,
    environment: Readonly<Record<string, string>>,
    former: StackState,
  ): Promise<RunningService> {
    this.checkpoint();
    const logFile = join(this.paths.logs, `${service.name}.log`);
    const fingerprint = fingerprintOf(service, environment);
    const start = (): Promise<ProcessRecord> =>
      spawnDetached({
        command: process.execPath,
        args: [...NODE_SETTINGS, mainOf(service)],
        directory: REPOSITORY,
        env: { ...process.env, ...environment, ...this.takeForStart(service.name) },
        logFile,
      });
    const before = former.services[service.name];
    const plan = { name: service.name, start, lastWords: () => tailOf(logFile, 1) };
    if (before !== undefined && isAlive(before)) {
      if (before.fingerprint === fingerprint) {
        this.progress.note(`${service.name} still ran (process ${String(before.pid)}): adopted`);
        return { service, port, logFile, fingerprint, unit: new Unit(plan, before, before.restarts) };
      }
      await endProcess(before, 'SIGTERM', SERVICE_STOP_GRACE_MS);
    }
    return { service, port, logFile, fingerprint, unit: new Unit(plan, await start()) };
  }

  private takeForStart(name: ServiceName): Readonly<Record<string, string>> {
    const environment = this.nextStarts.get(name) ?? {};
    this.nextStarts.delete(name);
    return environment;
  }

  private async waitUntilReady({ service, port, logFile, unit }: RunningService): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while ((await healthOf(`http://127.0.0.1:${String(port)}`)) !== 'ready') {
      this.checkpoint();
      if (!isAlive(unit.record)) {
        throw new Failure(`${service.name} ended while it started. Its log (${logFile}) ends:\n${tailOf(logFile)}`);
      }
      if (performance.now() > deadline) {
        throw new Failure(`${service.name} was not ready in time. Its log (${logFile}) ends:\n${tailOf(logFile)}`);
      }
      await wait(READY_POLL_MS);
    }
  }

  // What others may know

  private publish(): void {
    if (this.servers === undefined || this.secrets === undefined) return;
    const supervisor = recordOf(process.pid);
    const state: StackState = {
      ...(supervisor === undefined ? {} : { supervisor }),
      postgres: serverState(this.servers.adminUrl, this.postgres, join(this.paths.logs, 'postgres.log')),
      kafka: serverState(this.servers.kafkaBrokers, this.kafka, join(this.paths.logs, 'kafka.log')),
      services: Object.fromEntries(
        [...this.services.values()].map(({ service, port, logFile, fingerprint, unit }) => [
          service.name,
          { ...unit.record, port, logFile, fingerprint, restarts: unit.restarts },
        ]),
      ),
    };
    writeState(this.paths, state);
    const gateway = `http://127.0.0.1:${String(state.services['gateway']?.port ?? this.settings.ports.gateway)}`;
    const addresses = { gateway, kafka: this.servers.kafkaBrokers, postgres: this.servers.adminUrl };
    writePrivateJson(this.paths.demo, demoFileOf(this.paths, addresses, this.secrets.demo, state));
  }
}

const isGateway = ({ service }: RunningService): boolean => service.name === 'gateway';

const fingerprintOf = (service: Service, environment: Readonly<Record<string, string>>): string =>
  createHash('sha256').update(JSON.stringify(environment)).update(buildFingerprint(service)).digest('hex').slice(0, 16);

const serverState = (address: string, unit: Unit | undefined, logFile: string): ServerState =>
  unit === undefined ? { address, restarts: 0 } : { address, process: unit.record, logFile, restarts: unit.restarts };
