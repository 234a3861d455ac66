import { describe, expect, it } from '@jest/globals';

import { rateLimitHeaders } from './rate-limit-headers.js';
import { TokenBuckets } from './token-bucket.js';

const bucketsAt = (perSecond: number, burst: number) => {
  let now = 0;
  const buckets = new TokenBuckets({ name: 'client', perSecond, burst }, () => now);
  return { buckets, pass: (ms: number) => (now += ms) };
};

describe('a token bucket', () => {
  it('gives its burst at once and then no more', () => {
    const { buckets } = bucketsAt(2, 5);
    const taken = Array.from({ length: 7 }, () => buckets.take('a').allowed);
    expect(taken).toEqual([true, true, true, true, true, false, false]);
  });

  it('refills continuously, and no further than full', () => {
    const { buckets, pass } = bucketsAt(2, 5);
    for (let count = 0; count < 5; count += 1) buckets.take('a');
    expect(buckets.take('a')).toMatchObject({ allowed: false, retryAfterMs: 500 });
    pass(499);
    expect(buckets.take('a').allowed).toBe(false);
    pass(1);
    expect(buckets.take('a')).toMatchObject({ allowed: true, remaining: 0, fullInMs: 2_500 });
    pass(60_000);
    expect(buckets.take('a')).toMatchObject({ allowed: true, remaining: 4, retryAfterMs: 0 });
  });

  it('is each one its own', () => {
    const { buckets } = bucketsAt(1, 1);
    expect(buckets.take('a').allowed).toBe(true);
    expect(buckets.take('a').allowed).toBe(false);
    expect(buckets.take('b').allowed).toBe(true);
  });

  it('gives, over a long time, its rate and its burst', () => {
    const { buckets, pass } = bucketsAt(10, 20);
    let allowed = 0;
    for (let ms = 0; ms < 10_000; ms += 5) {
      if (buckets.take('a').allowed) allowed += 1;
      pass(5);
    }
    expect(allowed).toBe(20 + 10 * 10 - 1);
  });
});

describe('the RateLimit headers', () => {
  const policy = { name: 'client', perSecond: 200, burst: 400 };

  it('name the policy and what is left (draft-ietf-httpapi-ratelimit-headers-11)', () => {
    expect(rateLimitHeaders(policy, { allowed: true, remaining: 399, retryAfterMs: 0, fullInMs: 5 })).toEqual({
      'ratelimit-policy': '"client";q=400;w=2',
      ratelimit: '"client";r=399;t=1',
    });
  });

  it('tell a refused caller when to come back, in whole seconds', () => {
    expect(rateLimitHeaders(policy, { allowed: false, remaining: 0, retryAfterMs: 5, fullInMs: 2_000 })).toEqual({
      'ratelimit-policy': '"client";q=400;w=2',
      ratelimit: '"client";r=0;t=2',
      'retry-after': '1',
    });
  });
});
