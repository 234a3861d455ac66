import { statfsSync } from 'node:fs';
import { connect } from 'node:net';

import colors from 'picocolors';

import { javaProgram, requireKafkaJarsOrMaven } from '../servers/kafka-jars.ts';
import { messageOf } from '../servers/failure.ts';
import { isPortFree, portHolder } from '../servers/ports.ts';
import { REPOSITORY, stackPaths } from '../stack/paths.ts';
import { SERVICES } from '../stack/services.ts';
import { type Connection, connectionFrom } from './connection.ts';
import { CliError, EXIT } from './failure.ts';
import { printable } from './printable.ts';
import { type Shown, table } from './shown.ts';

interface Readiness {
  readonly status: string;
  readonly services: Readonly<Record<string, { status: string; checks: Readonly<Record<string, string>> }>>;
}

/** Whether everything behind the gateway is ready. */
export const status = async ({ gateway, asNobody }: Connection): Promise<Shown> => {
  const { body } = await asNobody('GET', '/health/ready');
  const ready = body as Readiness;
  if (typeof body !== 'object' || body === null || typeof ready.services !== 'object')
    throw new CliError(EXIT.unreachable, `What answers at ${gateway} is not PayFlow.`);
  const rows = Object.entries(ready.services).map(([name, { status: state, checks }]) => [
    name,
    state,
    Object.entries(checks)
      .map(([check, result]) => `${check} ${result}`)
      .join(', '),
  ]);
  return {
    json: { gateway, ...ready },
    text: `${gateway} is ${printable(ready.status)}\n\n${table(['service', 'status', 'checks'], rows)}`,
    failed: ready.status !== 'up',
  };
};

/** One look at this machine or at PayFlow. Thrown: what is wrong, as a sentence. */
export interface Check {
  readonly name: string;
  readonly look: () => Promise<string>;
}

export interface Looked {
  readonly name: string;
  readonly ok: boolean;
  readonly told: string;
}

const FREE_MB_MIN = 2_048;
const CONNECT_TIMEOUT_MS = 2_000;
const CLOCK_SECONDS_MAX = 5;
const BYTES_PER_MB = 1_048_576;

/** What PayFlow needs, in the order in which it is missed. */
export const checksOf = (environment: NodeJS.ProcessEnv): readonly Check[] => {
  const paths = stackPaths(environment);
  const connection = (): Connection => connectionFrom(environment);
  /** What can only be looked at when there is a PayFlow: before the first start there is nothing wrong. */
  const once = (name: string, look: () => Promise<string>): Check => ({
    name,
    look: async () => {
      try {
        connection();
      } catch {
        return 'not started yet';
      }
      return await look();
    },
  });
  return [
    { name: 'Node.js', look: () => Promise.resolve(process.version) },
    { name: 'Java', look: javaProgram },
    {
      name: 'Maven, or Kafka from before',
      look: async () => {
        await requireKafkaJarsOrMaven(paths.kafkaJars);
        return 'there';
      },
    },
    {
      name: 'disk',
      look: () => {
        const { bavail, bsize } = statfsSync(REPOSITORY);
        const freeMb = Math.floor((bavail * bsize) / BYTES_PER_MB);
        if (freeMb < FREE_MB_MIN)
          return Promise.reject(new Error(`${freeMb} MB are free; ${FREE_MB_MIN} MB are needed. Make room.`));
        return Promise.resolve(`${freeMb} MB free`);
      },
    },
    { name: 'ports', look: async () => await lookAtPorts(await answers(connection)) },
    once('gateway', async () => {
      const shown = await status(connection());
      if (shown.failed === true) throw new Error('not everything is up: see `payflow status`.');
      return connection().gateway;
    }),
    once('Postgres', async () => await reach(connection().local?.postgres, 5432)),
    once('Kafka', async () => await reach(connection().local?.kafka, 9092)),
    once('clock', async () => {
      const { date } = await connection().asNobody('GET', '/health/live');
      if (date === undefined) throw new Error('the gateway tells no time.');
      const seconds = Math.round(Math.abs(Date.now() - date.getTime()) / 1_000);
      if (seconds > CLOCK_SECONDS_MAX)
        throw new Error(`this machine and PayFlow are ${seconds} s apart: signatures and tokens need one time.`);
      return `${seconds} s apart`;
    }),
  ];
};

export const lookAt = async ({ name, look }: Check): Promise<Looked> => {
  try {
    return { name, ok: true, told: await look() };
  } catch (error) {
    return { name, ok: false, told: messageOf(error) };
  }
};

export const shownChecks = (looked: readonly Looked[]): Shown => ({
  json: { ok: looked.every(({ ok }) => ok), checks: looked },
  text: looked
    .map(({ name, ok, told }) => `${ok ? colors.green('✔') : colors.red('✖')} ${name}: ${printable(told)}`)
    .join('\n'),
  failed: looked.some(({ ok }) => !ok),
});

const answers = async (connection: () => Connection): Promise<boolean> => {
  try {
    return (await connection().asNobody('GET', '/health/live')).status === 200;
  } catch {
    return false;
  }
};

/** Taken ports are PayFlow's own while it runs. */
const lookAtPorts = async (runs: boolean): Promise<string> => {
  if (runs) return 'PayFlow has them';
  const taken = (
    await Promise.all(
      SERVICES.map(async ({ name, defaultPort }) => ({ name, defaultPort, free: await isPortFree(defaultPort) })),
    )
  ).filter(({ free }) => !free);
  if (taken.length === 0) return 'free';
  const sentences = taken.map(
    ({ name, defaultPort }) => `${defaultPort} (${name}) by ${portHolder(defaultPort) ?? 'another program'}`,
  );
  throw new Error(`taken: ${sentences.join(', ')}.`);
};

/** Whether somebody listens where the server should be: an address, or a list of host:port. */
const reach = async (address: string | undefined, portDefault: number): Promise<string> => {
  if (address === undefined) return 'not of this machine';
  const [first = ''] = address.split(',');
  const { hostname, port } = new URL(first.includes('://') ? first : `tcp://${first}`);
  await new Promise<void>((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: port === '' ? portDefault : Number(port),
      timeout: CONNECT_TIMEOUT_MS,
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => {
      socket.destroy(new Error('it does not answer'));
    });
    socket.once('error', reject);
  });
  return `${hostname}:${port === '' ? portDefault : port}`;
};
