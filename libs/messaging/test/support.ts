import { randomBytes } from 'node:crypto';

import { type Envelope, type EventDefinition, TOKEN_EVENTS, type Topic, TOPICS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { IDEMPOTENCY_DDL, type Logger } from '@payflow/service';
import { createTestDatabase, type TestDatabase, testKafka } from '@payflow/testing';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import {
  type ConsumerBinding,
  type Delivery,
  Messaging,
  MESSAGING_DDL,
  type MessagingParts,
  type OutgoingEvent,
} from '../src/index.js';

/** Effects have no unique key: one that happens twice is there twice, in the order of `position`. */
export class MessagingTest1763700000000 implements MigrationInterface {
  readonly name = 'MessagingTest1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(MESSAGING_DDL);
    await runner.query(IDEMPOTENCY_DDL);
    await runner.query(`CREATE TABLE effects (
      position bigint GENERATED ALWAYS AS IDENTITY, consumer text NOT NULL, event_id text NOT NULL,
      aggregate_id text NOT NULL, sequence int NOT NULL)`);
  }

  async down(): Promise<void> {
    await Promise.resolve();
  }
}

export const testLogger = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }) as unknown as Logger;

/** Short delays, so that a test of retries takes milliseconds. */
export const FAST: MessagingParts['settings'] = {
  topicPartitions: 2,
  relayPollMs: 20,
  relayIdlePollMs: 80,
  relayElectionMs: 100,
  retryFirstDelayMs: 20,
  retryDelayMsMax: 100,
  retryTriesMax: 5,
  retryPollMs: 20,
  retryIdlePollMs: 80,
  gapAgeMs: 500,
  gapPollMs: 100,
  offsetCommitMs: 200,
};

export interface Bench {
  readonly database: Database;
  readonly url: string;
  readonly prefix: string;
  readonly brokers: readonly string[];
  /** An instance of a service: outbox, relay, consumers. Ended by `close`. */
  messaging(bindings?: readonly ConsumerBinding[], parts?: Partial<MessagingParts>): Messaging;
  effects(consumer: string): Promise<readonly Effect[]>;
  close(): Promise<void>;
}

export interface Effect {
  readonly eventId: string;
  readonly aggregateId: string;
  readonly sequence: number;
}

/** A database of its own and a corner of the broker of its own, for one test file. */
export const createBench = async (brokers: readonly string[] = testKafka().brokers): Promise<Bench> => {
  const testDatabase: TestDatabase = await createTestDatabase({
    service: 'messaging',
    migrations: [MessagingTest1763700000000],
  });
  const database = await Database.connect({
    url: testDatabase.runtimeUrl,
    applicationName: 'messaging-test',
    poolSizeMax: 16,
  });
  const prefix = `t${randomBytes(5).toString('hex')}.`;
  const running: Messaging[] = [];
  return {
    database,
    prefix,
    brokers,
    url: testDatabase.runtimeUrl,
    messaging: (bindings = [], parts = {}) => {
      const messaging = new Messaging({
        service: 'tokenization',
        brokers,
        database,
        logger: testLogger,
        registry: new Registry(),
        ownerUrls: {},
        serviceToken: () => Promise.resolve('none'),
        ...parts,
        settings: { ...FAST, topicPrefix: prefix, ...parts.settings },
      });
      for (const binding of bindings) messaging.subscribe(binding);
      running.push(messaging);
      return messaging;
    },
    effects: async (consumer) =>
      await database.query<Effect>(
        `SELECT event_id AS "eventId", aggregate_id AS "aggregateId", sequence FROM effects
         WHERE consumer = $1 ORDER BY position`,
        [consumer],
      ),
    close: async () => {
      await Promise.all(running.map((messaging) => messaging.stop()));
      await database.close();
      await testDatabase.drop();
    },
  };
};

/** A handler that writes down what it applied, unless `before` throws. */
export const recorder = (
  consumer: string,
  options: {
    readonly ordered?: boolean;
    readonly topics?: readonly Topic[];
    readonly before?: (delivery: Delivery) => void | Promise<void>;
  } = {},
): ConsumerBinding => ({
  consumer,
  kind: 'token',
  ...((options.ordered ?? true) ? { ordered: true } : { ordered: false, topics: options.topics ?? TOPICS.token }),
  handle: async (deliveries, tx) => {
    for (const delivery of deliveries) await options.before?.(delivery);
    await recordEffects(consumer, deliveries, tx);
  },
});

const recordEffects = async (consumer: string, deliveries: readonly Delivery[], tx: Tx): Promise<void> => {
  await tx.execute(
    `INSERT INTO effects (consumer, event_id, aggregate_id, sequence)
     SELECT $1, v.event_id, v.aggregate_id, v.sequence
     FROM unnest($2::text[], $3::text[], $4::int[]) WITH ORDINALITY AS v (event_id, aggregate_id, sequence, ordinal)
     ORDER BY v.ordinal`,
    [
      consumer,
      deliveries.map(({ envelope }) => envelope.eventId),
      deliveries.map(({ envelope }) => envelope.aggregateId),
      deliveries.map(({ envelope }) => envelope.sequence),
    ],
  );
};

const payloads = {
  created: (tokenId: string) => ({
    tokenId,
    merchantId: null,
    userId: null,
    brand: 'visa',
    last4: '4242',
    fingerprint: 'fp',
    reusable: true,
  }),
  deleted: (tokenId: string) => ({ tokenId, merchantId: null, userId: null }),
};

export type TokenEventName = keyof typeof payloads;

/** What a service would publish. */
export const outgoing = (aggregateId: string, name: TokenEventName = 'created', key = aggregateId): OutgoingEvent => ({
  definition: TOKEN_EVENTS[name],
  aggregateId,
  merchantId: null,
  key,
  payload: payloads[name](aggregateId),
  occurredAt: new Date(),
});

/** For `eventually`: two cores may be shared with other test files, and no test asserts a time. */
export const PATIENT = { timeoutMs: 60_000 };

/** A message as another service would have sent it. */
export interface WireEvent {
  readonly topic: string;
  readonly key: string;
  readonly envelope: Envelope;
}

export const wireEvent = (
  aggregateId: string,
  sequence: number,
  name: TokenEventName = 'created',
  changes: Partial<Envelope> = {},
): WireEvent => {
  const definition: EventDefinition = TOKEN_EVENTS[name];
  return {
    topic: definition.topic,
    key: aggregateId,
    envelope: {
      eventId: newId('evt'),
      type: definition.type,
      occurredAt: new Date().toISOString(),
      aggregateId,
      sequence,
      previousSequence: null,
      merchantId: null,
      correlationId: null,
      causationId: null,
      payload: payloads[name](aggregateId),
      ...changes,
    },
  };
};

export const sendEvents = async (messaging: Messaging, events: readonly WireEvent[]): Promise<void> => {
  for (const { topic, key, envelope } of events) await sendRaw(messaging, topic, key, JSON.stringify(envelope));
};

export const sendRaw = async (
  messaging: Messaging,
  topic: string,
  key: string | null,
  value: string | Buffer | null,
): Promise<void> => {
  await messaging.cluster.send([{ topic, messages: [{ key, value, headers: {} }] }]);
};

export const newAggregate = (): string => newId('tok');

export interface ReadMessage {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads all of a topic, as an independent consumer would. */
export class TopicReader {
  readonly messages: ReadMessage[] = [];

  private constructor(private readonly consumer: ReturnType<Messaging['cluster']['kafka']['consumer']>) {}

  static async open(messaging: Messaging, topic: string): Promise<TopicReader> {
    const { cluster } = messaging;
    const consumer = cluster.kafka.consumer({
      groupId: `${cluster.nameOf('reader')}.${randomBytes(4).toString('hex')}`,
      maxWaitTimeInMs: 100,
    });
    const reader = new TopicReader(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: [cluster.nameOf(topic)], fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
        reader.messages.push({ value: message.value, headers: Object.fromEntries(headers) });
        return Promise.resolve();
      },
    });
    return reader;
  }

  async close(): Promise<void> {
    await this.consumer.disconnect();
  }
}
