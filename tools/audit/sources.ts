import { noteKeyOf, parseVerifierKey, type VerifierKey } from '@payflow/ledger-proof';
import { databaseNamesOf, urlFor } from '@payflow/postgres';

import { CHECKPOINT_ORIGIN } from '../../apps/ledger/src/domain/checkpoint-origin.js';
import { Failure } from '../servers/failure.ts';
import { readJson } from '../servers/files.ts';
import type { StackPaths } from '../stack/paths.ts';
import type { Secrets } from '../stack/secrets.ts';
import { presentServices, type ServiceName } from '../stack/services.ts';
import { readState } from '../stack/state.ts';
import { Broker } from './broker.ts';
import { ReadDatabase } from './read-database.ts';

/** Everything an invariant may look at, and where it tells what it looked at. */
export interface Sources {
  readonly payment: ReadDatabase;
  readonly ledger: ReadDatabase;
  /** The acquirers' own books. */
  readonly acquirers: ReadDatabase;
  /** Every database of the installation, by service. */
  readonly databases: ReadonlyMap<ServiceName, ReadDatabase>;
  readonly broker: Broker;
  /** With which the ledger's checkpoints verify; undefined where the installation has none yet. */
  readonly checkpointKey: VerifierKey | undefined;
  /** Directory of the log files. */
  readonly logs: string;
  /** How long something may look wrong before it is. */
  readonly graceMs: number;
  /** The journal of a client, where one was given. */
  readonly clientJournal: string | undefined;
  /** How many of what were compared: what a ✓ rests on. */
  readonly compared: (what: string, count: number) => void;
  /** What is no finding and should be known. */
  readonly note: (sentence: string) => void;
  /** For a person who waits. */
  readonly progress: (sentence: string) => void;
}

/** The connections of an audit, shared by all its invariants. */
export type Connections = Omit<Sources, 'graceMs' | 'clientJournal' | 'compared' | 'note' | 'progress'>;

/** Reads from its state where the installation's servers are, and connects to them. */
export const connect = (paths: StackPaths, environment: NodeJS.ProcessEnv): Connections => {
  const { postgres, kafka } = readState(paths);
  const secrets = readJson<Secrets>(paths.secrets);
  if (postgres === undefined || kafka === undefined || secrets === undefined) {
    throw new Failure(
      `No PayFlow runs in ${paths.home}. Start it with \`npm start\`, or name another one: PAYFLOW_HOME=<directory> npm run audit`,
    );
  }
  const databases = new Map(
    presentServices()
      .filter((service) => service.hasDatabase)
      .map(({ name }) => [name, new ReadDatabase(name, ownerUrl(name, postgres.address, secrets))] as const),
  );
  const named = (name: ServiceName): ReadDatabase => {
    const database = databases.get(name);
    if (database === undefined) throw new Error(`invariant: ${name} has a database`);
    return database;
  };
  return {
    payment: named('payment'),
    ledger: named('ledger'),
    acquirers: named('acquirer-sim'),
    databases,
    broker: new Broker(
      kafka.address.split(',').map((address) => address.trim()),
      environment['KAFKA_TOPIC_PREFIX'] ?? '',
      databases,
    ),
    checkpointKey: checkpointKeyOf(secrets, environment),
    logs: paths.logs,
  };
};

const checkpointKeyOf = (secrets: Partial<Secrets>, environment: NodeJS.ProcessEnv): VerifierKey | undefined => {
  if (secrets.checkpointKey === undefined) return undefined;
  const origin = environment['CHECKPOINT_ORIGIN'] || CHECKPOINT_ORIGIN;
  return parseVerifierKey(noteKeyOf(origin, Buffer.from(secrets.checkpointKey, 'base64')).verifierKey);
};

export const disconnect = async ({ databases }: Connections): Promise<void> => {
  await Promise.all([...databases.values()].map((database) => database.close()));
};

/** The owner reads every table; the session can only read. */
const ownerUrl = (service: ServiceName, server: string, secrets: Secrets): string => {
  const password = secrets.databases[service]?.owner;
  if (password === undefined) throw new Failure(`There are no passwords for the database of ${service}.`);
  const { database, owner } = databaseNamesOf(service);
  return urlFor(server, database, owner, password);
};
