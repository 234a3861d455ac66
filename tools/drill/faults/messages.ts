import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { Kafka, logLevel, type Producer } from 'kafkajs';

import type { Databases, Row } from '../databases.ts';
import { KAFKA_LINK } from '../proxied-links.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { type Fault, NOTHING_TO_HEAL } from './fault.ts';

const SERVICES_WITH_OUTBOX = [
  'payment',
  'tokenization',
  'auth',
  'ledger',
  'wallet',
  'fraud',
  'notification',
  'settlement',
] as const;
const OLD_MESSAGES_MAX = 400;
const REPUBLISH_TRIES_MAX = 30;
const PAYMENT_TOPICS = ['payment.created', 'payment.authorized', 'payment.captured', 'payment.refunded'] as const;
/** Above the consumers' limit (256 KiB), below the broker's (1 MiB). */
const LARGE_BYTES = 900_000;

const withProducer = async (world: World, work: (producer: Producer) => Promise<void>): Promise<void> => {
  const { kafka } = world.platform.demo();
  const producer = new Kafka({ clientId: 'drill', brokers: [kafka], logLevel: logLevel.NOTHING }).producer({
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  try {
    await work(producer);
  } finally {
    await producer.disconnect();
  }
};

interface OldMessage {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string;
}

/** Messages of the past, each perhaps several times, in any order: a producer that repeats, a log that is read again. */
const oldMessages: Fault = {
  name: 'old-messages:shuffled',
  // The drill itself reads the outboxes for it.
  touches: ['kafka', KAFKA_LINK, 'postgres'],
  lasts: [1, 2],
  inject: async (world, random) => {
    const messages = (
      await Promise.all((['payment', 'tokenization'] as const).map((name) => pastOf(world.databases, name)))
    ).flat();
    await withProducer(world, async (producer) => {
      for (const { topic, key, headers, value } of random.shuffled([...messages, ...messages]))
        await producer.send({ topic, messages: [{ key, value, headers: { ...headers } }] });
    });
    return NOTHING_TO_HEAL;
  },
};

const pastOf = async (databases: Databases, service: 'payment' | 'tokenization'): Promise<readonly OldMessage[]> => {
  const rows = await databases.query(
    service,
    `SELECT topic, key, headers, envelope AS value FROM outbox
      WHERE published_at IS NOT NULL AND envelope IS NOT NULL ORDER BY random() LIMIT $1`,
    [OLD_MESSAGES_MAX / 2],
  );
  return rows.map((row: Row) => row as unknown as OldMessage);
};

/** Straight to the topics, past every producer of ours. The value tells each one apart. */
export const sendPoison = async (world: World, random: Random): Promise<void> => {
  const key = (await world.databases.query('payment', 'SELECT merchant_id FROM payments LIMIT 1'))[0]?.['merchant_id'];
  await withProducer(world, async (producer) => {
    for (const value of poisonValues(random)) {
      const topic = random.pick(PAYMENT_TOPICS);
      const sent = await producer.send({ topic, messages: [{ key: String(key), value }] });
      for (const { topicName, partition, baseOffset } of sent)
        world.poison.push({ topic: topicName, partition, offset: baseOffset ?? '', mayBeLost: false });
    }
  });
};

const poison: Fault = {
  name: 'poison-messages',
  touches: ['kafka', KAFKA_LINK, 'postgres'],
  lasts: [1, 2],
  inject: async (world, random) => {
    await sendPoison(world, random);
    return NOTHING_TO_HEAL;
  },
};

const poisonValues = (random: Random): readonly (string | Buffer | null)[] => {
  const mark = `drill-${random.int(0, 2 ** 31)}`;
  const envelope = {
    eventId: `evt_${'0'.repeat(16)}${String(random.int(0, 999_999_999)).padStart(10, '0')}`,
    type: 'payment.captured.v99',
    occurredAt: new Date(0).toISOString(),
    aggregateId: mark,
    sequence: 1,
    previousSequence: null,
    merchantId: null,
    correlationId: null,
    causationId: null,
    payload: {},
  };
  return [
    `not JSON ${mark}`,
    JSON.stringify({ mark }),
    JSON.stringify(envelope),
    JSON.stringify({ ...envelope, type: 'payment.captured.v1' }),
    Buffer.from([0xff, 0xfe, 0x00, ...Buffer.from(mark)]),
    `${mark}${'x'.repeat(LARGE_BYTES)}`,
    null,
  ];
};

/**
 * The broker loses everything: ended, its data deleted, set up anew, started. Then each service is asked to publish again
 * what its outbox keeps, as the runbook tells operators, while payments go on.
 */
const erased: Fault = {
  name: 'erased:kafka',
  touches: ['kafka', KAFKA_LINK],
  lasts: [0, 1],
  inject: async (world) => {
    const { stack } = world;
    await stack.endAndHold('kafka', 'SIGTERM');
    const before = stack.processOf('kafka');
    rmSync(join(stack.paths.kafka, 'data'), { recursive: true, force: true });
    for (const place of world.poison) place.mayBeLost = true;
    stack.release('kafka');
    await stack.successorOf('kafka', before);
    return async () => {
      for (const service of SERVICES_WITH_OUTBOX) await republish(world, service);
    };
  },
};

/** Safe to repeat: what consumers had already, they skip. */
const republish = async ({ platform, stack }: World, service: (typeof SERVICES_WITH_OUTBOX)[number]): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await platform
      .asOperatorOf(stack.addressOf(service), { method: 'POST', path: '/internal/outbox/republish', timeoutMs: 60_000 })
      .catch(() => undefined);
    // Not every service publishes events.
    if (answer !== undefined && (answer.status < 300 || answer.status === 404)) return;
    if (attempt === REPUBLISH_TRIES_MAX)
      throw new Error(`${service} does not publish again: ${answer?.status ?? 'silence'} ${answer?.text ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
};

export const MESSAGE_FAULTS: readonly Fault[] = [oldMessages, poison, erased];
