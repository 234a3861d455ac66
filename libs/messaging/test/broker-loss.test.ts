import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import { eraseKafka, type KafkaServer, killKafka, startKafka } from '../../../tools/servers/kafka.ts';
import { freePort } from '../../../tools/servers/ports.ts';
import { republish } from '../src/index.js';
import { type Bench, createBench, newAggregate, outgoing, PATIENT, recorder, TopicReader } from './support.js';
import { ReplyDroppingProxy } from './reply-dropping-proxy.js';

/** A broker of its own, since these tests kill it; its second listener is behind a proxy that loses answers. */
let directory: string;
let kafka: KafkaServer;
let proxy: ReplyDroppingProxy;
let proxiedPort: number;
let direct: Bench;
let proxied: Bench;

const start = async (port?: number): Promise<KafkaServer> =>
  await startKafka({
    directory,
    ...(port === undefined ? {} : { port }),
    logFile: join(directory, 'kafka.log'),
    jarCache: fileURLToPath(new URL('../../../.payflow/kafka-jars', import.meta.url)),
    proxied: { port: proxiedPort, advertisedPort: proxy.port },
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'payflow-kafka-'));
  proxiedPort = await freePort();
  proxy = await ReplyDroppingProxy.open(() => proxiedPort);
  kafka = await start();
  direct = await createBench([kafka.brokers]);
  proxied = await createBench([`127.0.0.1:${String(proxy.port)}`]);
}, 120_000);

afterAll(async () => {
  await Promise.all([direct.close(), proxied.close()]);
  await proxy.close();
  await eraseKafka(directory);
}, 60_000);

describe('a lost answer of the broker', () => {
  it('costs no message that is acknowledged afterwards', async () => {
    // kafkajs' idempotent producer fails here: the second message goes out under the first one's number, the broker
    // takes it for a repetition and acknowledges it, and it is nowhere.
    const messaging = proxied.messaging();
    await messaging.cluster.ensureTopics();
    const message = (value: string) => [{ topic: 'token.created', messages: [{ key: 'k', value, headers: {} }] }];
    await messaging.cluster.send(message('m0'));
    const reader = await TopicReader.open(messaging, 'token.created');
    try {
      for (const round of [1, 2, 3]) {
        proxy.dropping = true;
        await expect(messaging.cluster.send(message(`lost ${String(round)}`))).rejects.toThrow();
        proxy.dropping = false;
        await messaging.cluster.send(message(`acknowledged ${String(round)}`));
        await eventually(() => {
          const values = reader.messages.map(({ value }) => String(value));
          expect(values).toContain(`lost ${String(round)}`);
          expect(values).toContain(`acknowledged ${String(round)}`);
        }, PATIENT);
      }
    } finally {
      proxy.dropping = false;
      await reader.close();
    }
  }, 300_000);

  it('may put an event into the log twice, and it takes effect once', async () => {
    // Topics of its own: what the test before left in the log are dead letters here, and the relay would be busy with them.
    const bench = await createBench(proxied.brokers);
    const messaging = bench.messaging([recorder('test.lost-reply')]);
    messaging.start();
    const aggregateId = newAggregate();
    const publish = async (): Promise<void> => {
      await bench.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId)]));
    };
    await publish();
    const effects = async () => (await bench.effects('test.lost-reply')).map(({ sequence }) => sequence);
    await eventually(async () => {
      expect(await effects()).toEqual([1]);
    }, PATIENT);
    const before = proxy.dropped;
    proxy.dropping = true;
    await publish();
    await eventually(() => {
      expect(proxy.dropped).toBeGreaterThan(before);
    }, PATIENT);
    await publish();
    proxy.dropping = false;
    await eventually(async () => {
      expect(await effects()).toEqual([1, 2, 3]);
    }, PATIENT);
    const reader = await TopicReader.open(messaging, 'token.created');
    try {
      await eventually(() => {
        const copies = reader.messages
          .filter(({ value }) => String(value).includes(aggregateId))
          .map(({ value }) => JSON.parse(String(value)) as { readonly sequence: number });
        expect(new Set(copies.map(({ sequence }) => sequence))).toEqual(new Set([1, 2, 3]));
        expect(copies.length).toBeGreaterThan(3);
      }, PATIENT);
    } finally {
      await reader.close();
    }
    expect(await effects()).toEqual([1, 2, 3]);
    await bench.close();
  }, 180_000);
});

describe('a broker that is killed', () => {
  it('and comes back has lost nothing, and publishing never failed', async () => {
    const messaging = direct.messaging([recorder('test.killed')]);
    messaging.start();
    const aggregates = Array.from({ length: 20 }, newAggregate);
    const publishAll = async (): Promise<void> => {
      for (const aggregateId of aggregates)
        await direct.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId)]));
    };
    const appliedEvents = async (): Promise<number> => (await direct.effects('test.killed')).length;
    await publishAll();
    await eventually(async () => {
      expect(await appliedEvents()).toBe(20);
    }, PATIENT);
    const publishing = (async () => {
      for (let round = 0; round < 30; round += 1) await publishAll();
    })();
    await killKafka(directory);
    await publishing;
    await publishAll();
    await start();
    await eventually(
      async () => {
        expect(await appliedEvents()).toBe(20 * 32);
      },
      { timeoutMs: 120_000 },
    );
    const effects = await direct.effects('test.killed');
    for (const aggregateId of aggregates)
      expect(effects.filter((one) => one.aggregateId === aggregateId).map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: 32 }, (_, index) => index + 1),
      );
    expect(await direct.database.query('SELECT 1 FROM outbox WHERE published_at IS NULL')).toEqual([]);
    await messaging.stop();
  }, 300_000);
});

describe('a broker whose data was erased', () => {
  it('is filled again from the outbox, and consumers end where they were', async () => {
    const messaging = direct.messaging([recorder('test.erased')]);
    messaging.start();
    const aggregateId = newAggregate();
    const publish = async (): Promise<void> => {
      await direct.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId)]));
    };
    const own = async () =>
      (await direct.effects('test.erased')).filter((one) => one.aggregateId === aggregateId).map((one) => one.sequence);
    for (let count = 0; count < 5; count += 1) await publish();
    await eventually(async () => {
      expect(await own()).toEqual([1, 2, 3, 4, 5]);
    }, PATIENT);
    await eraseKafka(directory);
    await publish();
    kafka = await start(kafka.port);
    await republish(direct.database, messaging.relay);
    await publish();
    await eventually(
      async () => {
        expect(await own()).toEqual([1, 2, 3, 4, 5, 6, 7]);
        expect(await direct.database.query('SELECT 1 FROM outbox WHERE published_at IS NULL')).toEqual([]);
      },
      { timeoutMs: 120_000 },
    );
    const reader = await TopicReader.open(messaging, 'token.created');
    try {
      await eventually(() => {
        const copies = reader.messages.filter(({ value }) => String(value).includes(aggregateId));
        expect(copies.length).toBeGreaterThanOrEqual(7);
      }, PATIENT);
    } finally {
      await reader.close();
    }
    await messaging.stop();
  }, 300_000);
});
