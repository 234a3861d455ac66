import type { Database } from '@payflow/postgres';
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

/** Where messages were read; events that were fetched from their owner come from nowhere. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly clusterId: string;
}

/** One consumer's door: messages go in, and each takes effect once, waits, or becomes a dead letter. */
export class Intake {
  constructor(
    readonly binding: ConsumerBinding,
    private readonly parts: IntakeParts,
  ) {}

  /**
   * Takes messages that follow each other. Afterwards the database answers for all of them; when it throws, the
   * surroundings failed and taking them again is harmless.
   */
  async take(messages: readonly RawMessage[], place?: Place): Promise<void> {
    const { binding, parts } = this;
    const begun = performance.now();
    const decoded = messages.map((raw) => decode(raw, binding.kind, parts.settings.messageBytesMax));
    try {
      await this.apply(decoded, Number.POSITIVE_INFINITY, place);
    } catch (error) {
      if (isInfrastructureFailure(error)) throw error;
      for (const message of decoded) await this.takeOne(message, place);
    }
    parts.observe(binding.consumer, (performance.now() - begun) / 1000);
  }

  private async takeOne(message: Decoded, place: Place | undefined): Promise<void> {
    try {
      await this.apply([message], 1, place);
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
        await this.storePlace(tx, [message], place);
      });
    }
  }

  private async apply(decoded: readonly Decoded[], deliverMax: number, place: Place | undefined): Promise<void> {
    const moved = await this.parts.database.transaction(async (tx) => {
      // The place goes out with the transaction's first statements: it shares their round trip.
      const [, gates] = await Promise.all([
        this.storePlace(tx, decoded, place),
        applyMessages(tx, this.binding, decoded, deliverMax),
      ]);
      crashPoint('consumer.before-commit');
      return gates;
    });
    crashPoint('consumer.after-commit');
    this.parts.progress.moved(this.binding.consumer, moved);
  }

  private async storePlace(
    tx: Parameters<typeof storeProgress>[0],
    decoded: readonly Decoded[],
    place: Place | undefined,
  ): Promise<void> {
    const last = decoded.at(-1);
    if (place === undefined || last === undefined) return;
    const { offset } = last.ok ? last.raw : last.poison.raw;
    const { clusterId, topic, partition } = place;
    await storeProgress(tx, this.binding.consumer, clusterId, { topic, partition, nextOffset: offset + 1n });
  }
}
