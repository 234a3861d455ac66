import { describe, expect, it } from '@jest/globals';
import type { EachBatchPayload } from 'kafkajs';

import { FetchedBatches } from './fetched-batches.js';

const payload = (partition: number): EachBatchPayload => ({ batch: { partition } }) as unknown as EachBatchPayload;

describe('the batches of a fetch', () => {
  it('are taken together when they come in one breath, and each waits for all', async () => {
    const taken: number[][] = [];
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const batches = new FetchedBatches(async (payloads) => {
      taken.push(payloads.map(({ batch }) => batch.partition));
      await finished;
    });
    const done: number[] = [];
    const adding = [0, 1, 2].map(async (partition) => {
      await batches.add(payload(partition));
      done.push(partition);
    });
    await new Promise((resolve) => setTimeout(resolve));
    expect(taken).toEqual([[0, 1, 2]]);
    expect(done).toEqual([]);
    finish();
    await Promise.all(adding);
    expect(done).toEqual([0, 1, 2]);
  });

  it('of the next fetch are the next to be taken', async () => {
    const taken: number[][] = [];
    const batches = new FetchedBatches((payloads) => {
      taken.push(payloads.map(({ batch }) => batch.partition));
      return Promise.resolve();
    });
    await Promise.all([batches.add(payload(0)), batches.add(payload(1))]);
    await batches.add(payload(0));
    expect(taken).toEqual([[0, 1], [0]]);
  });
});
