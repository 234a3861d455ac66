import { Failure } from '../servers/failure.ts';
import { SERVICES, type ServiceName } from './services.ts';

/** What the person at the keyboard chose, by environment variables. */
export interface StackSettings {
  /** 0: any free port. */
  readonly ports: Readonly<Record<ServiceName, number>>;
  readonly postgresPort?: number;
  readonly kafkaPort?: number;
  /** Of a role that may create roles and databases: then no Postgres is started. */
  readonly databaseUrl?: string;
  /** Then no Kafka is started. */
  readonly kafkaBrokers?: string;
}

export const settingsFrom = (environment: NodeJS.ProcessEnv): StackSettings => {
  const text = (name: string): string | undefined => environment[name] || undefined;
  const port = (name: string): number | undefined => portOf(name, text(name));
  const postgresPort = port('POSTGRES_PORT');
  const kafkaPort = port('KAFKA_PORT');
  const databaseUrl = text('DATABASE_URL');
  const kafkaBrokers = text('KAFKA_BROKERS');
  requireAddresses(databaseUrl, kafkaBrokers);
  const ports = Object.fromEntries(
    SERVICES.map((service) => [service.name, port(service.portVariable) ?? service.defaultPort]),
  ) as Record<ServiceName, number>;
  requireDistinct(ports);
  return {
    ports,
    ...(postgresPort === undefined || postgresPort === 0 ? {} : { postgresPort }),
    ...(kafkaPort === undefined || kafkaPort === 0 ? {} : { kafkaPort }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(kafkaBrokers === undefined ? {} : { kafkaBrokers }),
  };
};

const PORT_MAX = 65_535;

const portOf = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= PORT_MAX) return port;
  throw new Failure(
    `${name} is "${text}", which is not a port. Use a number up to ${String(PORT_MAX)}; 0 takes any free one.`,
  );
};

const requireDistinct = (ports: Readonly<Record<ServiceName, number>>): void => {
  const seen = new Map<number, string>();
  for (const service of SERVICES) {
    const port = ports[service.name];
    const other = seen.get(port);
    if (port !== 0 && other !== undefined) {
      throw new Failure(
        `Port ${String(port)} is wanted by ${other} and by ${service.name}. Set ${service.portVariable} to another port.`,
      );
    }
    seen.set(port, service.name);
  }
};

const requireAddresses = (databaseUrl: string | undefined, kafkaBrokers: string | undefined): void => {
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\/[^/]+/.test(databaseUrl)) {
    throw new Failure('DATABASE_URL is not an address like postgres://user:password@host:5432/postgres.');
  }
  if (
    kafkaBrokers !== undefined &&
    !kafkaBrokers.split(',').every((broker) => /^[^\s:]+:\d{1,5}$/.test(broker.trim()))
  ) {
    throw new Failure('KAFKA_BROKERS is not a list of host:port, separated by commas.');
  }
};
