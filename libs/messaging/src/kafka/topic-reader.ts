import { type Admin, type Batch, type Consumer, Kafka, logLevel } from 'kafkajs';
import { newId } from '@payflow/kernel';

import type { RawMessage } from '../message.js';
import { withDeadline } from './deadline.js';
import { rawMessageOf } from './kafka-message.js';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
const ADMIN_DEADLINE_MS = 15_000;
/** Without a single message for this long while some are missing, reading has failed. */
const SILENCE_MS_MAX = 30_000;
const FETCH_BYTES_MAX = 4_194_304;
const FETCH_WAIT_MS = 250;

/** A partition by the contract's name of its topic: the first offset that is kept, and the one behind the last. */
export interface PartitionExtent {
  readonly topic: string;
  readonly partition: number;
  readonly first: bigint;
  readonly end: bigint;
}

/**
 * Reads topics from outside, for checks and repairs: it joins no consumer of ours, commits nothing, and leaves nothing
 * behind on the broker.
 */
export class TopicReader {
  private readonly kafka: Kafka;

  constructor(
    brokers: readonly string[],
    private readonly topicPrefix: string,
  ) {
    this.kafka = new Kafka({
      clientId: 'payflow-reader',
      brokers: [...brokers],
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
      logLevel: logLevel.NOTHING,
    });
  }

  async clusterId(): Promise<string> {
    return await this.withAdmin(async (admin) => (await admin.describeCluster()).clusterId);
  }

  /** Of those of the topics that exist. */
  async extents(topics: readonly string[]): Promise<readonly PartitionExtent[]> {
    return await this.withAdmin(async (admin) => {
      const existing = new Set(await admin.listTopics());
      const extents: PartitionExtent[] = [];
      for (const topic of topics.filter((name) => existing.has(this.topicPrefix + name)))
        for (const { partition, low, high } of await admin.fetchTopicOffsets(this.topicPrefix + topic))
          extents.push({ topic, partition, first: BigInt(low), end: BigInt(high) });
      return extents;
    });
  }

  /** The offsets that a consumer of ours has committed on the broker, by `topic/partition`; none where it committed nothing. */
  async committedOffsets(consumer: string, topics: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    return await this.withAdmin(async (admin) => {
      const existing = new Set(await admin.listTopics());
      const names = topics.map((topic) => this.topicPrefix + topic).filter((name) => existing.has(name));
      const offsets = await admin.fetchOffsets({ groupId: this.topicPrefix + consumer, topics: names });
      return new Map(
        offsets.flatMap(({ topic, partitions }) =>
          partitions
            .filter(({ offset }) => offset !== '-1')
            .map(
              ({ partition, offset }) =>
                [`${topic.slice(this.topicPrefix.length)}/${partition}`, BigInt(offset)] as const,
            ),
        ),
      );
    });
  }

  /**
   * Reads the topics from their beginnings up to where they end now.
   *
   * @param take gets the messages in portions, each of one partition, in order
   * @returns how many messages there were
   */
  async readAll(topics: readonly string[], take: (messages: readonly RawMessage[]) => void): Promise<number> {
    const extents = (await this.extents(topics)).filter(({ first, end }) => end > first);
    if (extents.length === 0) return 0;
    const groupId = `${this.topicPrefix}payflow-reader-${newId('req')}`;
    const consumer = this.kafka.consumer({
      groupId,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: FETCH_BYTES_MAX,
      // How long a disconnect may have to wait for the last fetch.
      maxWaitTimeInMs: FETCH_WAIT_MS,
    });
    try {
      await withDeadline(consumer.connect(), ADMIN_DEADLINE_MS, 'connecting to Kafka');
      await consumer.subscribe({
        topics: [...new Set(extents.map(({ topic }) => this.topicPrefix + topic))],
        fromBeginning: true,
      });
      return await this.readUntil(consumer, extents, take);
    } finally {
      // What was read is read: a group that stays behind is empty, and the broker forgets it by itself.
      await withDeadline(consumer.disconnect(), ADMIN_DEADLINE_MS, 'disconnecting from Kafka').catch(() => undefined);
      await this.withAdmin(async (admin) => {
        await admin.deleteGroups([groupId]);
      }).catch(() => undefined);
    }
  }

  private async readUntil(
    consumer: Consumer,
    extents: readonly PartitionExtent[],
    take: (messages: readonly RawMessage[]) => void,
  ): Promise<number> {
    const left = new Map(extents.map(({ topic, partition, end }) => [`${topic}/${partition}`, end]));
    let count = 0;
    const takeBatch = (batch: Batch): void => {
      const topic = batch.topic.slice(this.topicPrefix.length);
      const key = `${topic}/${batch.partition}`;
      const end = left.get(key);
      if (end === undefined) return;
      const messages = batch.messages
        .filter(({ offset }) => BigInt(offset) < end)
        .map((message) => rawMessageOf(message, { topic, partition: batch.partition }));
      count += messages.length;
      take(messages);
      if (BigInt(batch.lastOffset()) + 1n >= end) left.delete(key);
    };
    let watchdog: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        let lastSign = performance.now();
        watchdog = setInterval(() => {
          if (performance.now() - lastSign > SILENCE_MS_MAX) reject(new Error('Kafka sends no more messages'));
        }, REQUEST_TIMEOUT_MS);
        const running = consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: async (payload) => {
            lastSign = performance.now();
            try {
              takeBatch(payload.batch);
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)));
            }
            payload.resolveOffset(payload.batch.lastOffset());
            if (left.size === 0) resolve();
            await payload.heartbeat();
          },
        });
        running.catch(reject);
      });
    } finally {
      clearInterval(watchdog);
    }
    return count;
  }

  private async withAdmin<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = this.kafka.admin();
    try {
      await withDeadline(admin.connect(), ADMIN_DEADLINE_MS, 'connecting to Kafka');
      return await withDeadline(work(admin), ADMIN_DEADLINE_MS, 'a Kafka admin request');
    } finally {
      await withDeadline(admin.disconnect(), CONNECT_TIMEOUT_MS, 'disconnecting from Kafka').catch(() => undefined);
    }
  }
}
