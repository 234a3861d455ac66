import { setTimeout as wait } from 'node:timers/promises';

import type { Database } from '@payflow/postgres';
import type { Logger } from '@payflow/service';
import type { Batch } from 'kafkajs';

import { nextOffsetOf, storedProgress } from '../inbox/inbox-sql.js';
import { withDeadline } from './deadline.js';

/** kafkajs' word for "from the beginning". */
const EARLIEST = '-2';
const RETRY_MS = 500;
const KNOWN_DEADLINE_MS = 10_000;

/** What is known of an assignment: the cluster that is read, and how far the database has got with it. */
interface Known {
  readonly clusterId: string;
  readonly offsets: ReadonlyMap<string, bigint>;
}

/**
 * Where reading goes on. The database says so: Kafka's own offsets are behind it by up to a second, and ahead of it after
 * the database was restored from a backup. Its offsets are of one cluster: when Kafka's data was erased, the new log may
 * already be longer than the old one was, and reading on from an old offset would skip what stands before it.
 */
export class Positions {
  private readonly settled = new Set<string>();
  private readonly expected = new Map<string, bigint>();
  private generation = 0;
  private known: Promise<Known | undefined> = Promise.resolve(undefined);

  constructor(
    private readonly database: Database,
    private readonly clusterId: () => Promise<string>,
    private readonly consumer: string,
    private readonly logger: Logger,
    private readonly seek: (place: { topic: string; partition: number; offset: string }) => void,
  ) {}

  /**
   * Partitions were assigned anew: sends each to the place that the database knows.
   *
   * @param partitions by the topic's name on the cluster
   */
  async assign(
    partitions: Readonly<Record<string, readonly number[]>>,
    topicOf: (name: string) => string,
  ): Promise<void> {
    this.settled.clear();
    this.generation += 1;
    this.known = this.learn(this.generation);
    const known = await this.known;
    if (known === undefined) return;
    for (const [name, numbers] of Object.entries(partitions))
      for (const partition of numbers) {
        const offset = known.offsets.get(`${topicOf(name)}/${partition}`);
        this.seek({ topic: name, partition, offset: offset === undefined ? EARLIEST : String(offset) });
      }
  }

  /** The session ends: whatever is being asked is of no use any more. */
  close(): void {
    this.generation += 1;
  }

  private async learn(generation: number): Promise<Known | undefined> {
    while (generation === this.generation)
      try {
        const clusterId = await this.clusterId();
        const rows = await storedProgress(this.database, this.consumer, clusterId);
        if (generation !== this.generation) return undefined;
        const offsets = new Map(rows.map(({ topic, partition, nextOffset }) => [`${topic}/${partition}`, nextOffset]));
        return { clusterId, offsets };
      } catch (error) {
        this.logger.warn({ err: error, consumer: this.consumer }, 'the place to read on from is not known yet');
        await wait(RETRY_MS);
      }
    return undefined;
  }

  /**
   * Checks the first batch of a partition after each assignment: it may have been fetched before `assign` was heard.
   *
   * @param topic as contracts name it
   * @returns the cluster the batch is of; undefined when it is not to be taken, because reading goes on elsewhere
   */
  async settle(batch: Batch, topic: string): Promise<string | undefined> {
    const known = await withDeadline(this.known, KNOWN_DEADLINE_MS, 'learning where to read on');
    if (known === undefined) return undefined;
    const { clusterId } = known;
    const key = `${batch.topic}/${batch.partition}`;
    const first = BigInt(batch.messages[0]?.offset ?? 0);
    const expected = this.expected.get(key);
    if (expected !== undefined && first < expected && this.settled.has(key)) this.warnOfReset(key, first, expected);
    if (this.settled.has(key)) return clusterId;
    const place = { topic, partition: batch.partition };
    const stored = await nextOffsetOf(this.database, this.consumer, clusterId, place);
    // Once for each assignment: where the log's beginning was cut off, what comes is the best there is.
    this.settled.add(key);
    if (first <= (stored ?? 0n)) {
      if (stored !== undefined && BigInt(batch.highWatermark) < stored) this.warnOfReset(key, first, stored);
      return clusterId;
    }
    this.seek({
      topic: batch.topic,
      partition: batch.partition,
      offset: stored === undefined ? EARLIEST : String(stored),
    });
    return undefined;
  }

  took(batch: Batch, nextOffset: bigint): void {
    this.expected.set(`${batch.topic}/${batch.partition}`, nextOffset);
  }

  private warnOfReset(key: string, first: bigint, expected: bigint): void {
    this.logger.warn(
      { consumer: this.consumer, partition: key, first: String(first), expected: String(expected) },
      'the log begins anew; what was applied is skipped',
    );
  }
}
