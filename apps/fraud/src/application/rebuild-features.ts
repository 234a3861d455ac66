import { Injectable } from '@nestjs/common';
import { type Envelope, envelopeSchema, FRAUD_WINDOW_SECONDS_MAX } from '@payflow/contracts';
import { TopicReader } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { FraudConfig } from '../fraud.config.js';
import { type PaymentOutcome, recordOutcomes } from '../store/outcomes.js';
import { rebuildVelocity } from '../store/velocity.js';
import { OUTCOMES_TOPICS, outcomesOf } from './payment-outcomes.js';

const OUTCOMES_AT_ONCE = 1_000;
const MS_PER_SECOND = 1_000;
/** Nothing older is in any window. An hour more, so that nothing is lost to a minute cut off. */
export const KEPT_MS = (FRAUD_WINDOW_SECONDS_MAX + 3_600) * MS_PER_SECOND;

/**
 * POST /internal/fraud/features/rebuild: the features made anew from the decisions and from what the topics tell of their
 * payments. The same rows as before, when nothing was lost.
 */
@Injectable()
export class RebuildFeatures {
  constructor(
    private readonly database: Database,
    @InjectConfig() private readonly config: FraudConfig,
  ) {}

  /** @returns how many events were read */
  async run(): Promise<number> {
    const reader = new TopicReader(this.config.KAFKA_BROKERS, this.config.KAFKA_TOPIC_PREFIX);
    const outcomes: PaymentOutcome[] = [];
    const since = Date.now() - KEPT_MS;
    const messages = await reader.readAll(OUTCOMES_TOPICS, (read) => {
      for (const { value } of read) {
        const envelope = envelopeOf(value);
        if (envelope !== undefined && Date.parse(envelope.occurredAt) >= since)
          outcomes.push(...outcomesOf([envelope]));
      }
    });
    for (let from = 0; from < outcomes.length; from += OUTCOMES_AT_ONCE)
      await this.record(outcomes.slice(from, from + OUTCOMES_AT_ONCE));
    await this.database.transaction((tx) => rebuildVelocity(tx, new Date(since)));
    return messages;
  }

  /** Without counting: that is done at the end, of everything. */
  private async record(outcomes: readonly PaymentOutcome[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      for (const kind of ['declined', 'captured', 'refunded', 'disputed'] as const)
        await recordOutcomes(
          tx,
          kind,
          outcomes.filter((outcome) => outcome.kind === kind),
        );
    });
  }
}

/** What is none was a dead letter when it came, and tells nothing now either. */
const envelopeOf = (value: Buffer | null): Envelope | undefined => {
  try {
    const parsed = envelopeSchema.safeParse(JSON.parse(value?.toString('utf8') ?? 'null'));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
};
