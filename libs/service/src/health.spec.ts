import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import type { EventLoopDelay } from './event-loop.js';
import { Health } from './health.js';
import { Lifecycle } from './lifecycle.js';

const delayed = (p99Ms: number): Pick<EventLoopDelay, 'p99Ms'> => ({ p99Ms });

describe('readiness', () => {
  let lifecycle: Lifecycle;
  beforeEach(() => {
    lifecycle = new Lifecycle();
    lifecycle.startServing();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is given while everything works', async () => {
    const health = new Health(lifecycle, delayed(200));
    health.contribute('broker', () => undefined);
    health.inform('broker', () => 'down');
    expect(await health.report()).toEqual({
      ready: true,
      checks: { lifecycle: 'up', eventLoop: 'up', broker: 'up' },
      information: { broker: 'down' },
    });
  });

  it('is withheld before the service serves and while it drains', async () => {
    expect(await new Health(new Lifecycle(), delayed(0)).report()).toMatchObject({ checks: { lifecycle: 'starting' } });
    lifecycle.startDraining();
    lifecycle.startServing();
    expect(await new Health(lifecycle, delayed(0)).report()).toMatchObject({
      ready: false,
      checks: { lifecycle: 'draining' },
    });
  });

  it('is withheld while the event loop is slower than 200 ms', async () => {
    expect((await new Health(lifecycle, delayed(201)).report()).ready).toBe(false);
  });

  it('is withheld with the reason while a part does not work', async () => {
    const health = new Health(lifecycle, delayed(0));
    health.contribute('broker', () => Promise.reject(new Error('no metadata')));
    expect(await health.report()).toMatchObject({ ready: false, checks: { broker: 'no metadata' } });
  });

  it('does not wait for a part that does not answer', async () => {
    jest.useFakeTimers();
    const health = new Health(lifecycle, delayed(0));
    health.contribute('broker', () => new Promise(() => undefined));
    const report = health.report();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await report).toMatchObject({ ready: false, checks: { broker: 'no answer in time' } });
  });
});
