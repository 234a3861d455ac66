import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { Failure } from './failure.ts';
import { readJson, requireFreeSpace, writePrivateJson } from './files.ts';
import { javaProgram, kafkaJars } from './kafka-jars.ts';
import { brokerAnswers } from './kafka-probe.ts';
import { freePort, isPortFree, portHolder } from './ports.ts';
import { endProcess, isAlive, type ProcessRecord, signal, spawnDetached, tailOf, waitForEnd } from './process.ts';
import { run } from './run.ts';

/** A real Apache Kafka, one node in KRaft mode, from the jars of Maven Central. */
export interface KafkaServer extends ProcessRecord {
  readonly port: number;
  readonly controllerPort: number;
  /** For KAFKA_BROKERS. */
  readonly brokers: string;
  /** A second door for a proxy in front of the broker, when one was asked for. */
  readonly proxied?: ProxiedListener;
}

/** The broker listens on `port`, but tells clients that came in there to come back to `advertisedPort`, the proxy's. */
export interface ProxiedListener {
  readonly port: number;
  readonly advertisedPort: number;
}

export interface KafkaOptions {
  /** Where the broker keeps its data and its record. */
  readonly directory: string;
  readonly logFile: string;
  /** Where the jars are kept, shared by all that run from this checkout. */
  readonly jarCache: string;
  /** Without it: the port of the last time if it is free, else any. With it: this one or a Failure. */
  readonly port?: number;
  readonly proxied?: ProxiedListener;
  readonly report?: (line: string) => void;
}

const FREE_SPACE_MB = 300;
const START_TIMEOUT_MS = 90_000;
const STOP_GRACE_MS = 30_000;
const POLL_MS = 50;
const LOG_SETTINGS = fileURLToPath(new URL('kafka-log.properties', import.meta.url));

/** 384 MB hold what this product sends; the simple compiler and collector start faster and keep the process small. */
const JAVA_SETTINGS = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Starts the broker of this directory, or adopts it when it still runs. Returns when it answers as a member of its cluster. */
export const startKafka = async (options: KafkaOptions): Promise<KafkaServer> => {
  const running = await runningKafka(options.directory);
  if (running !== undefined) return running;

  mkdirSync(options.directory, { recursive: true });
  const java = await javaProgram();
  const jars = await kafkaJars(options.jarCache, options.report ?? (() => undefined));
  if (jars.includes(delimiter)) {
    throw new Failure(
      `Java cannot load Kafka from ${jars}: it takes "${delimiter}" for a separator. Move the checkout to a path without it.`,
    );
  }
  const former = readJson<KafkaServer>(recordFile(options.directory));
  const port = await portFor(options.port, former?.port);
  const controllerPort = await freePort(former?.controllerPort);
  writeFileSync(join(options.directory, 'server.properties'), properties(port, controllerPort, options.proxied));
  if (!existsSync(join(options.directory, 'data', 'meta.properties'))) await format(options.directory, java, jars);

  const record = await spawnDetached({
    command: java,
    args: [
      ...JAVA_SETTINGS,
      `-Dlog4j.configuration=${pathToFileURL(LOG_SETTINGS).href}`,
      '-cp',
      join(jars, '*'),
      'kafka.Kafka',
      'server.properties',
    ],
    directory: options.directory,
    env: process.env,
    logFile: options.logFile,
  });
  const server: KafkaServer = {
    ...record,
    port,
    controllerPort,
    brokers: `127.0.0.1:${String(port)}`,
    ...(options.proxied === undefined ? {} : { proxied: options.proxied }),
  };
  // Before it is ready: should we be killed while we wait, our successor finds it.
  writePrivateJson(recordFile(options.directory), server);
  await waitUntilReady(options, server);
  return server;
};

/** The broker of this directory when it runs, whoever started it. */
export const runningKafka = async (directory: string): Promise<KafkaServer | undefined> => {
  const server = readJson<KafkaServer>(recordFile(directory));
  if (server === undefined) return undefined;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (isAlive(server) && Date.now() < deadline) {
    if (await brokerAnswers(server.port)) return server;
    await wait(POLL_MS);
  }
  // Alive and silent for so long: it hangs, and while it holds the data no other can start.
  await endProcess(server, 'SIGTERM', STOP_GRACE_MS);
  return undefined;
};

/** Ends the broker in order: it hands over, flushes and closes its logs. */
export const stopKafka = async (directory: string): Promise<void> => {
  const server = readJson<KafkaServer>(recordFile(directory));
  if (server !== undefined) await endProcess(server, 'SIGTERM', STOP_GRACE_MS);
};

/** `kill -9`, for tests of what survives it. */
export const killKafka = async (directory: string): Promise<void> => {
  const server = readJson<KafkaServer>(recordFile(directory));
  if (server === undefined) return;
  signal(server, 'SIGKILL');
  await waitForEnd(server, STOP_GRACE_MS);
};

/** Stops the broker and deletes its data. */
export const eraseKafka = async (directory: string): Promise<void> => {
  await stopKafka(directory);
  rmSync(directory, { recursive: true, force: true });
};

const recordFile = (directory: string): string => join(directory, 'server.json');

const portFor = async (wanted: number | undefined, former: number | undefined): Promise<number> => {
  if (wanted === undefined) return await freePort(former);
  if (await isPortFree(wanted)) return wanted;
  const holder = portHolder(wanted);
  throw new Failure(
    `Port ${String(wanted)} for Kafka is taken${holder === undefined ? '' : ` by ${holder}`}. ` +
      'End that program, or set KAFKA_PORT to another port.',
  );
};

const properties = (port: number, controllerPort: number, proxied: ProxiedListener | undefined): string => {
  const listeners = [`PLAINTEXT://127.0.0.1:${String(port)}`, `CONTROLLER://127.0.0.1:${String(controllerPort)}`];
  const advertised = [`PLAINTEXT://127.0.0.1:${String(port)}`];
  if (proxied !== undefined) {
    listeners.push(`PROXIED://127.0.0.1:${String(proxied.port)}`);
    advertised.push(`PROXIED://127.0.0.1:${String(proxied.advertisedPort)}`);
  }
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${String(controllerPort)}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
    // Relative to the working directory: this list is split at commas, so a checkout's path must not be in it.
    'log.dirs': 'data',
    'auto.create.topics.enable': 'false',
    'num.partitions': '6',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '2',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // After `kill -9` the broker is back 5 s after its start, with the defaults 13 s: the old session must run out first.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'log.retention.hours': '8760',
    'log.retention.bytes': '-1',
    'log.segment.bytes': String(64 * 1024 * 1024),
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
    'num.network.threads': '2',
    'num.io.threads': '4',
    'num.recovery.threads.per.data.dir': '2',
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
};

const format = async (directory: string, java: string, jars: string): Promise<void> => {
  requireFreeSpace(directory, FREE_SPACE_MB, 'A new Kafka broker');
  // A first start that was killed may have left half a directory; without meta.properties no broker ever used it.
  rmSync(join(directory, 'data'), { recursive: true, force: true });
  const clusterId = randomBytes(16).toString('base64url');
  // As one word: an id may begin with a dash, which the tool would take for an option of its own.
  const storageTool = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', 'server.properties'];
  const { status, output } = await run(java, [...JAVA_SETTINGS, '-cp', join(jars, '*'), ...storageTool], { directory });
  if (status === 0) return;
  if (/No space left on device/.test(output)) throw diskFull(directory);
  const reason = output.trim().split('\n').slice(-5).join('\n');
  throw new Failure(`Kafka could not set up its storage in ${directory}:\n${reason}`);
};

const diskFull = (directory: string): Failure =>
  new Failure(`The disk of ${directory} is full. Make room, or set PAYFLOW_HOME to a directory on a larger disk.`);

const waitUntilReady = async (options: KafkaOptions, server: KafkaServer): Promise<void> => {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (isAlive(server) && Date.now() < deadline) {
    if (await brokerAnswers(server.port)) return;
    await wait(POLL_MS);
  }
  await endProcess(server, 'SIGTERM', STOP_GRACE_MS);
  const said = tailOf(options.logFile);
  if (/No space left on device/.test(said)) throw diskFull(options.directory);
  throw new Failure(`Kafka did not start. The end of its log (${options.logFile}):\n${said}`);
};
