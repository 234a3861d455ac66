import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Admin, Kafka, logLevel } from 'kafkajs';

import { REPOSITORY } from '../stack/paths.ts';
import { eraseKafka, type KafkaServer, killKafka, startKafka } from './kafka.ts';
import { freePort } from './ports.ts';
import { isAlive } from './process.ts';

const START_MS = 60_000;

const withAdmin = async <Result>(broker: string, work: (admin: Admin) => Promise<Result>): Promise<Result> => {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
};

describe('a Kafka of ours', () => {
  const root = mkdtempSync(join(tmpdir(), 'payflow servers '));
  const directory = join(root, 'kafka');
  const options = {
    directory,
    logFile: join(root, 'kafka.log'),
    jarCache: join(REPOSITORY, '.payflow', 'kafka-jars'),
  };
  let first: KafkaServer;

  beforeAll(async () => {
    const [port, advertisedPort] = [await freePort(), await freePort()];
    first = await startKafka({ ...options, proxied: { port, advertisedPort } });
    await withAdmin(first.brokers, (admin) => admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 2 }] }));
  }, START_MS);
  afterAll(async () => {
    await eraseKafka(directory);
    rmSync(root, { recursive: true, force: true });
  });

  it('makes no topic that nobody created', async () => {
    await withAdmin(first.brokers, async (admin) => {
      await expect(admin.fetchTopicMetadata({ topics: ['misspelt'] })).rejects.toThrow();
      expect(await admin.listTopics()).toEqual(['kept']);
    });
  });

  it(
    'tells clients that come in through the proxied door to stay outside',
    async () => {
      const brokers = (door: string) =>
        withAdmin(door, (admin) => admin.describeCluster()).then((cluster) => cluster.brokers);
      expect(await brokers(first.brokers)).toMatchObject([{ port: first.port }]);
      // kafkajs would go on to the proxy, which is not there; what it was told is in its error.
      await expect(brokers(`127.0.0.1:${String(first.proxied?.port)}`)).rejects.toThrow(
        String(first.proxied?.advertisedPort),
      );
    },
    START_MS,
  );

  it('is adopted, not started again, while it runs', async () => {
    expect((await startKafka(options)).pid).toBe(first.pid);
  });

  it(
    'comes back with its topics and on its port after kill -9',
    async () => {
      await killKafka(directory);
      expect(isAlive(first)).toBe(false);
      const second = await startKafka({ ...options, port: first.port });
      expect(second.pid).not.toBe(first.pid);
      expect(await withAdmin(second.brokers, (admin) => admin.listTopics())).toEqual(['kept']);
    },
    START_MS,
  );

  it('leaves nothing when it is erased', async () => {
    await eraseKafka(directory);
    expect(existsSync(directory)).toBe(false);
  });
});
