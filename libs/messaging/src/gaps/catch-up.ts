import { setTimeout as wait } from 'node:timers/promises';

import { type AggregateKind, TOPICS } from '@payflow/contracts';
import type { Database } from '@payflow/postgres';
import type { Logger } from '@payflow/service';

import { appliedSequence, countBehind } from '../inbox/gate-sql.js';
import type { GateProgress } from '../inbox/gate-progress.js';
import { storedProgress } from '../inbox/inbox-sql.js';
import type { Intake } from '../inbox/intake.js';
import type { KafkaCluster, LogEnds } from '../kafka/cluster.js';
import { type OwnerEvents, OwnerUnavailableError, UNSENT_AGGREGATES_MAX } from './owner-events.js';

/** Kafka usually brings an event within milliseconds; asking the owner earlier than this would double his work. */
const KAFKA_FIRST_MS = 300;
const POLL_MS = 25;

export interface CatchUpParts {
  readonly database: Database;
  readonly intakes: ReadonlyMap<string, Intake>;
  readonly owners: OwnerEvents;
  readonly progress: GateProgress;
  readonly cluster: Pick<KafkaCluster, 'ends'>;
  readonly logger: Logger;
}

/** Read-your-writes for an ordered consumer, with the broker up or down. */
export class EventCatchUp {
  constructor(private readonly parts: CatchUpParts) {}

  /**
   * Waits until the consumer has applied the aggregate's events up to this sequence: first for Kafka, then by asking
   * the owner's event API for what is missing and applying it through the same gate. It does not throw for an owner
   * that is down.
   *
   * @returns the sequence up to which the consumer has applied; at least `upToSequence` unless the deadline came first
   */
  async catchUp(
    consumer: string,
    kind: AggregateKind,
    aggregateId: string,
    upToSequence: number,
    deadlineMs: number,
  ): Promise<number> {
    const deadline = performance.now() + deadlineMs;
    const kafkaFirstMs = Math.min(KAFKA_FIRST_MS, deadlineMs / 3);
    let applied = await this.waitForGate(consumer, aggregateId, upToSequence, performance.now() + kafkaFirstMs);
    while (applied < upToSequence && performance.now() < deadline) {
      await this.fetch(consumer, kind, aggregateId, applied, deadline - performance.now());
      applied = await this.waitForGate(
        consumer,
        aggregateId,
        upToSequence,
        Math.min(deadline, performance.now() + kafkaFirstMs),
      );
    }
    return applied;
  }

  /**
   * Waits until the consumer has taken every event under this key that its owner had committed when this was called: those
   * that are in Kafka, by the ends of its logs, and those that were not sent yet, by their gates. The owner is asked first:
   * what he no longer names by then is in Kafka. Events that are parked or dead-lettered count as taken.
   *
   * @returns whether it came to that in time; false also when owner or broker cannot be asked
   */
  async catchUpWithKey(consumer: string, kind: AggregateKind, key: string, deadlineMs: number): Promise<boolean> {
    const { database, owners, cluster, logger } = this.parts;
    const deadline = performance.now() + deadlineMs;
    try {
      const unsent = await owners.unsent(kind, key, deadlineMs);
      if (unsent.length === UNSENT_AGGREGATES_MAX) return false;
      const ends = await cluster.ends(TOPICS[kind]);
      for (;;) {
        const behind = (await this.partitionsBehind(consumer, ends)) + (await countBehind(database, consumer, unsent));
        if (behind === 0) return true;
        if (performance.now() >= deadline) return false;
        await wait(POLL_MS);
      }
    } catch (error) {
      logger.warn({ err: error, consumer, key }, 'nobody can tell how far a consumer is behind');
      return false;
    }
  }

  private async partitionsBehind(consumer: string, { clusterId, ends }: LogEnds): Promise<number> {
    const rows = await storedProgress(this.parts.database, consumer, clusterId);
    const taken = new Map(rows.map(({ topic, partition, nextOffset }) => [`${topic}/${partition}`, nextOffset]));
    return ends.filter(({ topic, partition, next }) => (taken.get(`${topic}/${partition}`) ?? 0n) < next).length;
  }

  private async waitForGate(consumer: string, aggregateId: string, sequence: number, until: number): Promise<number> {
    for (;;) {
      const applied = await appliedSequence(this.parts.database, consumer, aggregateId);
      if (applied >= sequence || performance.now() >= until) return applied;
      await this.parts.progress.waitFor(consumer, aggregateId, sequence, POLL_MS);
    }
  }

  private async fetch(
    consumer: string,
    kind: AggregateKind,
    aggregateId: string,
    applied: number,
    deadlineMs: number,
  ): Promise<void> {
    const { intakes, owners, logger } = this.parts;
    const intake = intakes.get(consumer);
    if (intake === undefined) throw new Error(`invariant: there is no consumer ${consumer}`);
    try {
      const events = await owners.after(kind, aggregateId, applied, deadlineMs);
      if (events.length > 0) await intake.take(events);
    } catch (error) {
      if (!(error instanceof OwnerUnavailableError)) throw error;
      logger.warn({ err: error, consumer, aggregateId }, 'the owner could not be asked for missing events');
    }
  }
}
