import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure } from '../servers/failure.ts';
import { readJson, writePrivateJson } from '../servers/files.ts';
import { eraseKafka, startKafka } from '../servers/kafka.ts';
import { isAlive, type ProcessRecord } from '../servers/process.ts';
import { erasePostgres, startPostgres } from '../servers/postgres.ts';
import { REPOSITORY } from '../stack/paths.ts';

/**
 * The Postgres and the Kafka that tests use. `node tools/test/servers.ts up` starts a pair that stays until `down`, so that
 * a developer's test runs need not wait for one; a test run that finds none starts a pair of its own and ends it.
 */
export interface TestServers {
  readonly databaseUrl: string;
  readonly kafkaBrokers: string;
  readonly postgres: ProcessRecord;
  readonly kafka: ProcessRecord;
}

export const STANDING_SERVERS = join(REPOSITORY, '.payflow', 'test');

export const startTestServers = async (
  directory: string,
  report: (line: string) => void = () => undefined,
): Promise<TestServers> => {
  const [postgres, kafka] = await Promise.all([
    startPostgres({ directory: join(directory, 'postgres'), logFile: join(directory, 'postgres.log'), report }),
    startKafka({
      directory: join(directory, 'kafka'),
      logFile: join(directory, 'kafka.log'),
      jarCache: join(REPOSITORY, '.payflow', 'kafka-jars'),
      report,
    }),
  ]);
  const servers: TestServers = {
    databaseUrl: postgres.adminUrl,
    kafkaBrokers: kafka.brokers,
    postgres: { pid: postgres.pid, startedAt: postgres.startedAt },
    kafka: { pid: kafka.pid, startedAt: kafka.startedAt },
  };
  writePrivateJson(join(directory, 'servers.json'), servers);
  return servers;
};

/** The pair that `up` started, when both still run. */
export const standingTestServers = (): TestServers | undefined => {
  const servers = readJson<TestServers>(join(STANDING_SERVERS, 'servers.json'));
  return servers !== undefined && isAlive(servers.postgres) && isAlive(servers.kafka) ? servers : undefined;
};

/** Ends the pair and deletes its data. */
export const endTestServers = async (directory: string): Promise<void> => {
  await eraseKafka(join(directory, 'kafka'));
  await erasePostgres(join(directory, 'postgres'));
  rmSync(directory, { recursive: true, force: true });
};

const USAGE = `Usage: node tools/test/servers.ts <command>

  up      start a Postgres and a Kafka for tests; they stay until "down"
  down    end them and delete their data
  status  show their addresses
`;

const describeServers = (servers: TestServers): string =>
  `PAYFLOW_TEST_DATABASE_URL=${servers.databaseUrl} (process ${String(servers.postgres.pid)})\n` +
  `PAYFLOW_TEST_KAFKA_BROKERS=${servers.kafkaBrokers} (process ${String(servers.kafka.pid)})\n`;

const main = async (command: string | undefined): Promise<void> => {
  switch (command) {
    case 'up': {
      const servers = await startTestServers(STANDING_SERVERS, (line) => process.stderr.write(`${line}\n`));
      process.stdout.write(describeServers(servers));
      return;
    }
    case 'down':
      await endTestServers(STANDING_SERVERS);
      return;
    case 'status': {
      const servers = standingTestServers();
      process.stdout.write(servers === undefined ? 'The test servers are not running.\n' : describeServers(servers));
      return;
    }
    default:
      process.stderr.write(USAGE);
      process.exitCode = command === '--help' ? 0 : 2;
  }
};

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv[2]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
