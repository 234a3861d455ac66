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
    // The histogram's own timer needs a turn before the block. The end of the window falls into the block, which begins in a
    // timer: the turn in which the window ends is the one in which the block did.
    await wait(30);
    blockForMs(2 * EVENT_LOOP_DELAY_P99_MS_MAX);
    // The window that ends with the block may be read before the histogram's timer has told of it: then it is in the next one.
    let worstMs = 0;
    for (let turn = 0; turn < 50 && worstMs <= EVENT_LOOP_DELAY_P99_MS_MAX; turn += 1) {
      await wait(10);
      worstMs = Math.max(worstMs, delay.p99Ms);
    }
    expect(worstMs).toBeGreaterThan(EVENT_LOOP_DELAY_P99_MS_MAX);
    delay.stop();
  });
});
