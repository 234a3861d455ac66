import { LRUCache } from 'lru-cache';

export interface BucketPolicy {
  /** Name in the RateLimit headers. */
  readonly name: string;
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens of a full bucket: what may be taken at once. */
  readonly burst: number;
}

export interface BucketState {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Until one token is there again; 0 when there is one. */
  readonly retryAfterMs: number;
  /** Until the bucket is full again. */
  readonly fullInMs: number;
}

interface Bucket {
  tokens: number;
  updatedAtMs: number;
}

/** A stranger can make a bucket with each request; the least used are forgotten, which costs them a full bucket at worst. */
const BUCKETS_MAX = 50_000;

/**
 * A token bucket per key, exact: it fills continuously and each request takes one token. In this process only: two gateways
 * allow twice as much. (rate-limiter-flexible counts in windows; its "bursty" limiter is two windows and not a bucket.)
 */
export class TokenBuckets {
  private readonly buckets = new LRUCache<string, Bucket>({ max: BUCKETS_MAX });

  constructor(
    readonly policy: BucketPolicy,
    /** A clock that only goes forward, in milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  take(key: string): BucketState {
    const bucket = this.filled(key);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const { perSecond, burst } = this.policy;
    return {
      allowed,
      remaining: Math.floor(bucket.tokens),
      retryAfterMs: bucket.tokens >= 1 ? 0 : ((1 - bucket.tokens) / perSecond) * 1_000,
      fullInMs: ((burst - bucket.tokens) / perSecond) * 1_000,
    };
  }

  private filled(key: string): Bucket {
    const now = this.now();
    const bucket = this.buckets.get(key);
    if (!bucket) {
      const fresh = { tokens: this.policy.burst, updatedAtMs: now };
      this.buckets.set(key, fresh);
      return fresh;
    }
    const gained = ((now - bucket.updatedAtMs) / 1_000) * this.policy.perSecond;
    bucket.tokens = Math.min(this.policy.burst, bucket.tokens + gained);
    bucket.updatedAtMs = now;
    return bucket;
  }
}
