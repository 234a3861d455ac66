import type { ProxiedListener } from '../servers/kafka.ts';
import type { DatabaseAddresses, Service, Surroundings } from './services.ts';

/** Over which addresses the processes of an installation reach each other: the fault drill puts proxies between them. */
export interface Links {
  /** A second door of the broker, which the services are sent to. */
  readonly kafka?: ProxiedListener;
  readonly surroundingsOf: (service: Service, surroundings: Surroundings) => Promise<Surroundings>;
  readonly databaseOf: (service: Service, database: DatabaseAddresses) => Promise<DatabaseAddresses>;
}

export const DIRECT: Links = {
  surroundingsOf: (_service, surroundings) => Promise.resolve(surroundings),
  databaseOf: (_service, database) => Promise.resolve(database),
};
