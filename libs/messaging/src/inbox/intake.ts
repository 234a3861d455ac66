import type { Database, Tx } from '@payflow/postgres';
import { crashPoint, type Logger } from '@payflow/service';

import type { ConsumerBinding, RawMessage } from '../message.js';
import type { MessagingSettings } from '../settings.js';
import { applyMessages } from './apply.js';
import { decode, type Decoded } from './decode.js';
import { causeOf, isInfrastructureFailure } from './failure.js';
import type { GateProgress } from './gate-progress.js';
import { storeProgress } from './inbox-sql.js';
import { freshOf } from './plan.js';
import { setAside } from './set-aside.js';

export interface IntakeParts {
  readonly database: Database;
  readonly logger: Logger;
  readonly settings: MessagingSettings;
  readonly progress: GateProgress;
  readonly observe: (consumer: string, seconds: number) => void;
}

/** One consumer's door: messages go in, and each takes effect once, waits, or becomes a dead letter. */
export class Intake {
  constructor(
    readonly binding: ConsumerBinding,
    private readonly parts: IntakeParts,
  ) {}

  /**
   * Takes messages, those of a partition in their order. Afterwards the database answers for all of them; when it throws,
   * the surroundings failed and taking them again is harmless.
   *
   * @param clusterId where they were read; events that were fetched from their owner come from nowhere
   */
  async take(messages: readonly RawMessage[], clusterId?: string): Promise<void> {
    const { binding, parts } = this;
    const begun = performance.now();
    const decoded = messages.map((raw) => decode(raw, binding.kind, parts.settings.messageBytesMax));
    try {
      await this.apply(decoded, Number.POSITIVE_INFINITY, clusterId);
    } catch (error) {
      if (isInfrastructureFailure(error)) throw error;
      for (const message of decoded) await this.takeOne(message, clusterId);
    }
    parts.observe(binding.consumer, (performance.now() - begun) / 1000);
  }

  private async takeOne(message: Decoded, clusterId: string | undefined): Promise<void> {
    try {
      await this.apply([message], 1, clusterId);
    } catch (error) {
      if (isInfrastructureFailure(error) || !message.ok) throw error;
      const { envelope } = message.delivery;
      this.parts.logger.warn(
        {
          err: causeOf(error),
          consumer: this.binding.consumer,
          eventId: envelope.eventId,
          aggregateId: envelope.aggregateId,
        },
        'an event could not be applied and is set aside',
      );
      await this.parts.database.transaction(async (tx) => {
        await setAside(tx, this.binding, this.parts.settings, freshOf(message), error);
        await this.storePlaces(tx, [message], clusterId);
      });
    }
  }

  private async apply(decoded: readonly Decoded[], deliverMax: number, clusterId: string | undefined): Promise<void> {
    const moved = await this.parts.database.transaction(async (tx) => {
      // The places go out with the transaction's first statements: they share their round trip.
      const [, gates] = await Promise.all([
        this.storePlaces(tx, decoded, clusterId),
        applyMessages(tx, this.binding, decoded, deliverMax),
      ]);
      crashPoint('consumer.before-commit');
      return gates;
    });
    crashPoint('consumer.after-commit');
    this.parts.progress.moved(this.binding.consumer, moved);
  }

  private async storePlaces(tx: Tx, decoded: readonly Decoded[], clusterId: string | undefined): Promise<void> {
    if (clusterId === undefined) return;
    // Of each partition the last one holds.
    const places = new Map(
      decoded.map((message) => {
        const { topic, partition, offset } = message.ok ? message.raw : message.poison.raw;
        return [`${topic}/${partition}`, { topic, partition, nextOffset: offset + 1n }] as const;
      }),
    );
    if (places.size > 0) await storeProgress(tx, this.binding.consumer, clusterId, [...places.values()]);
  }
}
