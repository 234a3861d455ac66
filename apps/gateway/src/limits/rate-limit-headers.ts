import type { BucketPolicy, BucketState } from './token-bucket.js';

const wholeSeconds = (ms: number): number => Math.ceil(ms / 1_000);

/**
 * RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11) as RFC 9651 structured fields: a bucket of q
 * tokens that fills in w seconds; r tokens are left, and in t seconds it is full. The policy's name is ours, so it needs no
 * quoting; integers print as they are.
 */
export const rateLimitHeaders = (policy: BucketPolicy, state: BucketState): Readonly<Record<string, string>> => {
  const windowSeconds = Math.max(1, Math.ceil(policy.burst / policy.perSecond));
  return {
    'ratelimit-policy': `"${policy.name}";q=${policy.burst};w=${windowSeconds}`,
    ratelimit: `"${policy.name}";r=${state.remaining};t=${wholeSeconds(state.fullInMs)}`,
    ...(state.allowed ? {} : { 'retry-after': String(Math.max(1, wholeSeconds(state.retryAfterMs))) }),
  };
};
