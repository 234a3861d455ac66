import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import type { Logger } from '@payflow/service';

import { allTopics } from '@payflow/contracts';
import type { MessagingSettings } from '../settings.js';
import { withDeadline } from './deadline.js';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
const SEND_TIMEOUT_MS = 10_000;
const ADMIN_DEADLINE_MS = 15_000;

/** The broker, as the rest of the library needs it. This file and `consumer.ts` are all that know kafkajs. */
export class KafkaCluster {
  readonly kafka: Kafka;
  private producing: Promise<Producer> | undefined;

  constructor(
    brokers: readonly string[],
    clientId: string,
    private readonly logger: Logger,
    private readonly settings: MessagingSettings,
  ) {
    this.kafka = new Kafka({
      clientId,
      brokers: [...brokers],
      connectionTimeout: CONNECT_TIMEOUT_MS,
      authenticationTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
      // Whoever calls repeats, with a backoff of his own; a client that retries for minutes only hides it.
      retry: { initialRetryTime: 100, retries: 2, maxRetryTime: 1_000 },
      logLevel: logLevel.INFO,
      logCreator: () => logToPino(logger),
    });
  }

  /** The topic's name on this cluster. */
  nameOf(topic: string): string {
    return this.settings.topicPrefix + topic;
  }

  /** The contract's name of a topic of this cluster. */
  topicOf(name: string): string {
    return name.slice(this.settings.topicPrefix.length);
  }

  /** Creates what is missing of our topics; brokers are not to create any by themselves. Safe to repeat. */
  async ensureTopics(): Promise<void> {
    await this.withAdmin(async (admin) => {
      const existing = new Set(await admin.listTopics());
      const missing = allTopics().filter((topic) => !existing.has(this.nameOf(topic)));
      if (missing.length === 0) return;
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({
          topic: this.nameOf(topic),
          numPartitions: this.settings.topicPartitions,
          replicationFactor: this.settings.topicReplication,
        })),
      });
      this.logger.info({ topics: missing }, 'created Kafka topics');
    });
  }

  /** Which cluster this is. One that was set up anew has another id, and its logs count from 0. */
  async id(): Promise<string> {
    let clusterId = '';
    await this.withAdmin(async (admin) => {
      ({ clusterId } = await admin.describeCluster());
    });
    return clusterId;
  }

  /** Where the logs of these topics end now, and of which cluster they are. Partitions without a message are left out. */
  async ends(topics: readonly string[]): Promise<LogEnds> {
    let clusterId = '';
    const ends: LogEnd[] = [];
    await this.withAdmin(async (admin) => {
      ({ clusterId } = await admin.describeCluster());
      const offsets = await Promise.all(
        topics.map(async (topic) => ({ topic, partitions: await admin.fetchTopicOffsets(this.nameOf(topic)) })),
      );
      for (const { topic, partitions } of offsets)
        for (const { partition, low, high } of partitions)
          if (high !== low) ends.push({ topic, partition, next: BigInt(high) });
    });
    return { clusterId, ends };
  }

  /** Resolves when the broker answers. */
  async ping(): Promise<void> {
    await this.withAdmin(async (admin) => {
      await admin.describeCluster();
    });
  }

  /**
   * Sends messages to their topics, each topic's in order, and waits for all acknowledgements.
   *
   * Not idempotent, by measurement: kafkajs' idempotent producer loses acknowledged messages after a lost reply
   * (test/lost-reply.test.ts). A plain one sends twice, and consumers are made for that.
   */
  async send(
    topicMessages: readonly { readonly topic: string; readonly messages: readonly OutgoingMessage[] }[],
  ): Promise<void> {
    const producer = await this.producer();
    await withDeadline(
      producer.sendBatch({
        acks: -1,
        timeout: SEND_TIMEOUT_MS,
        topicMessages: topicMessages.map(({ topic, messages }) => ({
          topic: this.nameOf(topic),
          messages: messages.map((message) => ({ ...message, headers: { ...message.headers } })),
        })),
      }),
      SEND_TIMEOUT_MS * 3,
      'sending to Kafka',
    );
  }

  /** Forgets the producer: the next send connects anew. */
  async resetProducer(): Promise<void> {
    const { producing } = this;
    this.producing = undefined;
    if (producing === undefined) return;
    try {
      await withDeadline((await producing).disconnect(), CONNECT_TIMEOUT_MS, 'disconnecting the producer');
    } catch {
      // It never connected, or its connection is broken: there is nothing left to end.
    }
  }

  private async producer(): Promise<Producer> {
    this.producing ??= this.connectProducer();
    try {
      return await this.producing;
    } catch (error) {
      this.producing = undefined;
      throw error;
    }
  }

  private async connectProducer(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: false,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, retries: 2, maxRetryTime: 1_000 },
    });
    await withDeadline(producer.connect(), ADMIN_DEADLINE_MS, 'connecting the producer');
    return producer;
  }

  private async withAdmin(work: (admin: Admin) => Promise<void>): Promise<void> {
    const admin = this.kafka.admin();
    try {
      await withDeadline(admin.connect(), ADMIN_DEADLINE_MS, 'connecting to Kafka');
      await withDeadline(work(admin), ADMIN_DEADLINE_MS, 'a Kafka admin request');
    } finally {
      await withDeadline(admin.disconnect(), CONNECT_TIMEOUT_MS, 'disconnecting from Kafka').catch(() => undefined);
    }
  }
}

export interface LogEnd {
  /** By the contract's name. */
  readonly topic: string;
  readonly partition: number;
  /** The offset that the next message gets. */
  readonly next: bigint;
}

export interface LogEnds {
  readonly clusterId: string;
  readonly ends: readonly LogEnd[];
}

export interface OutgoingMessage {
  readonly key: string | null;
  readonly value: Buffer | string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * kafkajs says ERROR for what it repeats by itself and INFO for each step of a connection. One level down each; our own
 * code says what matters.
 */
const logToPino =
  (logger: Logger) =>
  ({ level, namespace, log }: { level: logLevel; namespace: string; log: { message: string } }): void => {
    const {
      message,
      timestamp: _timestamp,
      logger: _logger,
      stack: _stack,
      ...fields
    } = log as Record<string, unknown>;
    const line = { ...fields, kafkajs: namespace };
    if (level <= logLevel.ERROR) logger.warn(line, String(message));
    else logger.debug(line, String(message));
  };
