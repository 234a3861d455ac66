import { setTimeout as wait } from 'node:timers/promises';

import type { Batch, Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';

import type { Database } from '@payflow/postgres';
import type { Logger } from '@payflow/service';

import { groupBy } from '../group-by.js';
import type { Intake } from '../inbox/intake.js';
import { type RawMessage, topicsOf } from '../message.js';
import type { MessagingMetrics } from '../metrics.js';
import type { MessagingSettings } from '../settings.js';
import type { KafkaCluster } from './cluster.js';
import { withDeadline } from './deadline.js';
import { FetchedBatches } from './fetched-batches.js';
import { rawMessageOf } from './kafka-message.js';
import { OffsetCommits } from './offset-commits.js';
import { Positions } from './positions.js';

const SESSION_TIMEOUT_MS = 6_000;
const HEARTBEAT_INTERVAL_MS = 1_500;
/** Longer than the longest chunk. */
const REBALANCE_TIMEOUT_MS = 60_000;
const TAKE_DEADLINE_MS = 45_000;
/** The broker answers at once when there is something; so often it is asked when there is nothing. */
const FETCH_WAIT_MS = 500;
const FETCH_BYTES_MAX = 262_144;
/** All of a fetch, where there are no more partitions than this; else the rest follows. */
const BATCHES_AT_ONCE = 64;
const STALL_MS = 3 * SESSION_TIMEOUT_MS;
const OPEN_DEADLINE_MS = 60_000;
const RESUME_DELAY_MS = 250;
const RESUME_DELAY_MS_MAX = 5_000;

export interface SessionParts {
  readonly cluster: KafkaCluster;
  readonly database: Database;
  readonly logger: Logger;
  readonly settings: MessagingSettings;
  readonly metrics: MessagingMetrics;
}

/**
 * One life of a kafkajs consumer: from joining the group to the end, which is a stop from outside, a crash that kafkajs
 * does not repair, or a silent stall. The settings are measured: with them it is back 6 s after a killed broker starts.
 */
export class ConsumerSession {
  private readonly consumer: Consumer;
  private readonly commits: OffsetCommits;
  private readonly positions: Positions;
  private readonly watchdog: NodeJS.Timeout;
  private lastSignOfLife = performance.now();
  private failures = 0;
  private readonly fetched = new FetchedBatches(async (payloads) => {
    await this.takeBatches(payloads);
  });
  private readonly closing = new AbortController();
  private end: (reason: string) => void = () => undefined;
  /** Resolves with the reason when the session cannot go on. */
  readonly ended = new Promise<string>((resolve) => {
    this.end = resolve;
  });

  constructor(
    private readonly intake: Intake,
    private readonly parts: SessionParts,
  ) {
    const { cluster, database, logger, settings } = parts;
    const { consumer } = intake.binding;
    this.consumer = cluster.kafka.consumer({
      groupId: cluster.nameOf(consumer),
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: FETCH_BYTES_MAX,
      allowAutoTopicCreation: false,
      retry: {
        initialRetryTime: 200,
        maxRetryTime: 1_000,
        retries: 1_000,
        restartOnFailure: async () => {
          // A broker that lost its data has no topics either.
          await cluster.ensureTopics().catch(() => undefined);
          return true;
        },
      },
    });
    this.commits = new OffsetCommits(this.consumer, logger, settings.offsetCommitMs);
    this.positions = new Positions(
      database,
      () => cluster.id(),
      consumer,
      logger,
      (place) => {
        this.consumer.seek(place);
      },
    );
    this.watch();
    this.watchdog = setInterval(() => void this.checkForStall(), SESSION_TIMEOUT_MS);
  }

  async open(): Promise<void> {
    const { cluster } = this.parts;
    await withDeadline(this.consumer.connect(), OPEN_DEADLINE_MS, 'connecting the consumer');
    await this.consumer.subscribe({
      topics: topicsOf(this.intake.binding).map((topic) => cluster.nameOf(topic)),
      fromBeginning: true,
    });
    const running = this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: BATCHES_AT_ONCE,
      eachBatch: (payload) => this.fetched.add(payload),
    });
    await withDeadline(running, OPEN_DEADLINE_MS, 'joining the consumer group');
  }

  /** Never called from within a handler: kafkajs would wait for itself (tulios/kafkajs#1168). */
  async close(): Promise<void> {
    clearInterval(this.watchdog);
    this.closing.abort();
    this.positions.close();
    const { settings, logger } = this.parts;
    await this.commits.stop();
    try {
      await withDeadline(this.consumer.disconnect(), settings.stopDeadlineMs, 'leaving the consumer group');
    } catch (error) {
      logger.warn({ err: error }, 'the consumer did not end in time and is abandoned');
    }
  }

  private watch(): void {
    const { GROUP_JOIN, HEARTBEAT, FETCH, END_BATCH_PROCESS, CRASH } = this.consumer.events;
    const live = (): void => {
      this.lastSignOfLife = performance.now();
    };
    for (const event of [GROUP_JOIN, HEARTBEAT, FETCH, END_BATCH_PROCESS] as const) this.consumer.on(event, live);
    this.consumer.on(GROUP_JOIN, ({ payload }) => {
      this.commits.forget();
      // It repeats by itself what fails; until it is done, `settle` guards each partition.
      this.positions
        .assign(payload.memberAssignment, (name) => this.parts.cluster.topicOf(name))
        .catch((error: unknown) => {
          // Between leaving a group and joining it again kafkajs takes no seek. The next join assigns anew.
          this.parts.logger.info({ err: error, consumer: this.intake.binding.consumer }, 'an assignment was overtaken');
        });
    });
    this.consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.end(`crashed: ${payload.error.message}`);
    });
  }

  /** Silence while the broker answers is a stall (tulios/kafkajs#659, #1639); silence of the broker is not our fault. */
  private async checkForStall(): Promise<void> {
    if (performance.now() - this.lastSignOfLife < STALL_MS) return;
    const brokerAnswers = await this.parts.cluster.ping().then(
      () => true,
      () => false,
    );
    if (brokerAnswers && performance.now() - this.lastSignOfLife >= STALL_MS) this.end('stalled');
  }

  /** Throws never: for kafkajs a thrown error is a crash of the consumer. */
  private async takeBatches(payloads: readonly EachBatchPayload[]): Promise<void> {
    const pace = this.holdNextFetch(payloads);
    const open = new Set(payloads);
    try {
      await this.takeAll(payloads, open);
      this.failures = 0;
      await pace;
    } catch (error) {
      this.failures += 1;
      for (const payload of open) this.pause(payload, error);
    }
  }

  private pause(payload: EachBatchPayload, error: unknown): void {
    const { topic, partition, messages } = payload.batch;
    const { consumer } = this.intake.binding;
    const delayMs = Math.min(RESUME_DELAY_MS_MAX, RESUME_DELAY_MS * 2 ** Math.min(this.failures - 1, 10));
    this.parts.metrics.inboxLag(consumer, ageSeconds(messages[0]));
    this.parts.logger.warn(
      { err: error, consumer, topic, partition, delayMs },
      'a partition is paused: its messages cannot be taken now',
    );
    setTimeout(payload.pause(), delayMs).unref();
  }

  /**
   * kafkajs fetches again when all batches of a fetch are done: they hold it back, beside their own work, so that under load
   * a consumer fetches and commits some times a second and not for each event. One that is behind goes on at once.
   */
  private async holdNextFetch(payloads: readonly EachBatchPayload[]): Promise<void> {
    if (payloads.some(({ batch }) => isBehind(batch, nextOf(batch.lastOffset())))) return;
    const paceMs = this.intake.binding.paceMs ?? this.parts.settings.fetchPaceMs;
    await wait(paceMs, undefined, { signal: this.closing.signal }).catch(endedEarly);
  }

  /** @param open loses the batches that are done with */
  private async takeAll(payloads: readonly EachBatchPayload[], open: Set<EachBatchPayload>): Promise<void> {
    const settled: { readonly payload: EachBatchPayload; readonly clusterId: string }[] = [];
    for (const payload of payloads) {
      const clusterId = await this.positions.settle(payload.batch, this.parts.cluster.topicOf(payload.batch.topic));
      if (clusterId === undefined) open.delete(payload);
      else settled.push({ payload, clusterId });
    }
    for (const [clusterId, own] of groupBy(settled, (one) => one.clusterId)) {
      const fetched = own.flatMap(({ payload }) => payload.batch.messages.map((message) => ({ payload, message })));
      if (!(await this.takeChunks(fetched, clusterId, open))) return;
    }
  }

  /** @returns whether the group is as it was */
  private async takeChunks(
    fetched: readonly Fetched[],
    clusterId: string,
    open: Set<EachBatchPayload>,
  ): Promise<boolean> {
    const { chunkMessagesMax } = this.parts.settings;
    for (let taken = 0; taken < fetched.length; taken += chunkMessagesMax) {
      const chunk = fetched
        .slice(taken, taken + chunkMessagesMax)
        .filter(({ payload }) => payload.isRunning() && !payload.isStale());
      const [first] = chunk;
      if (first === undefined) continue;
      await this.takeWithHeartbeats(
        chunk.map(({ payload, message }) => this.rawOf(payload.batch, message)),
        clusterId,
        first.payload,
      );
      for (const [payload, own] of groupBy(chunk, (one) => one.payload)) this.resolve(payload, own.at(-1), open);
      // A refused heartbeat means a rebalance; kafkajs meets it itself with the next one.
      if (!(await first.payload.heartbeat().then(yes, no))) return false;
    }
    return true;
  }

  private rawOf({ topic, partition }: Batch, message: KafkaMessage): RawMessage {
    return rawMessageOf(message, { topic: this.parts.cluster.topicOf(topic), partition });
  }

  /** Up to the last message of the batch that was taken. */
  private resolve(payload: EachBatchPayload, last: Fetched | undefined, open: Set<EachBatchPayload>): void {
    if (last === undefined) return;
    const { batch } = payload;
    const { message } = last;
    const next = nextOf(message.offset);
    payload.resolveOffset(message.offset);
    this.positions.took(batch, next);
    this.commits.note(batch.topic, batch.partition, next);
    this.parts.metrics.inboxLag(this.intake.binding.consumer, isBehind(batch, next) ? ageSeconds(message) : 0);
    if (message === batch.messages.at(-1)) open.delete(payload);
  }

  private async takeWithHeartbeats(
    messages: readonly RawMessage[],
    clusterId: string,
    payload: EachBatchPayload,
  ): Promise<void> {
    const beat = setInterval(() => void payload.heartbeat().then(yes, no), HEARTBEAT_INTERVAL_MS);
    try {
      await withDeadline(this.intake.take(messages, clusterId), TAKE_DEADLINE_MS, 'taking a chunk of messages');
    } finally {
      clearInterval(beat);
    }
  }
}

/** A message and the batch that it came in. */
interface Fetched {
  readonly payload: EachBatchPayload;
  readonly message: KafkaMessage;
}

const nextOf = (offset: string): bigint => BigInt(offset) + 1n;

const isBehind = ({ highWatermark }: Batch, next: bigint): boolean => next < BigInt(highWatermark);

const endedEarly = (): void => undefined;

const ageSeconds = (message: KafkaMessage | undefined): number =>
  message === undefined ? 0 : (Date.now() - Number(message.timestamp)) / 1000;

const yes = (): boolean => true;
const no = (): boolean => false;
