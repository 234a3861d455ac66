import { setImmediate as breath } from 'node:timers/promises';

import type { EachBatchPayload } from 'kafkajs';

/**
 * kafkajs hands over the batches of a fetch one by one, a partition's each: what comes in one breath is taken together, in
 * one transaction instead of one for each partition.
 */
export class FetchedBatches {
  private gathered: EachBatchPayload[] = [];
  private taking: Promise<void> | undefined;

  constructor(private readonly take: (payloads: readonly EachBatchPayload[]) => Promise<void>) {}

  /** Resolves when the batch, and those that were gathered with it, are taken. */
  async add(payload: EachBatchPayload): Promise<void> {
    this.gathered.push(payload);
    this.taking ??= this.takeNext();
    await this.taking;
  }

  private async takeNext(): Promise<void> {
    await breath();
    const payloads = this.gathered;
    this.gathered = [];
    this.taking = undefined;
    await this.take(payloads);
  }
}
