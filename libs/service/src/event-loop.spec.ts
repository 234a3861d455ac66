import { setTimeout as wait } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { EVENT_LOOP_DELAY_P99_MS_MAX, EventLoopDelay } from './event-loop.js';

const blockForMs = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

describe('the delay of the event loop', () => {
  it('is seen when something blocks it', async () => {
    const delay = new EventLoopDelay(50);
    delay.start();
    // A block that begins before the histogram's timer has ticked in a new window is not in it: 10 ms of the five seconds that a
    // window takes, but a good part of this test's. So there may be another block, after a pause of another length.
    let worstMs = 0;
    for (let block = 1; block <= 10 && worstMs <= EVENT_LOOP_DELAY_P99_MS_MAX; block += 1) {
      await wait(17 * block);
      blockForMs(2 * EVENT_LOOP_DELAY_P99_MS_MAX);
      // The window that ends with the block may be read before the histogram's timer has told of it: then it is in the next one.
      for (let turn = 0; turn < 10; turn += 1) {
        await wait(10);
        worstMs = Math.max(worstMs, delay.p99Ms);
      }
    }
    expect(worstMs).toBeGreaterThan(EVENT_LOOP_DELAY_P99_MS_MAX);
    delay.stop();
  });
});
