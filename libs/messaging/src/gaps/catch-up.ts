import type { AggregateKind } from '@payflow/contracts';
import type { Database } from '@payflow/postgres';
import type { Logger } from '@payflow/service';

import { appliedSequence } from '../inbox/gate-sql.js';
import type { GateProgress } from '../inbox/gate-progress.js';
import type { Intake } from '../inbox/intake.js';
import { type OwnerEvents, OwnerUnavailableError } from './owner-events.js';

/** Kafka usually brings an event within milliseconds; asking the owner earlier than this would double his work. */
const KAFKA_FIRST_MS = 300;
const POLL_MS = 25;

export interface CatchUpParts {
  readonly database: Database;
  readonly intakes: ReadonlyMap<string, Intake>;
  readonly owners: OwnerEvents;
  readonly progress: GateProgress;
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
