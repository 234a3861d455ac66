import { Injectable } from '@nestjs/common';
import { InjectConfig, Metrics, Problem } from '@payflow/service';
import { Counter } from 'prom-client';

import type { GatewayConfig } from '../gateway.config.js';
import type { Bucket } from '../routing/route-table.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { TokenBuckets } from './token-bucket.js';

/** Who may ask how often. */
@Injectable()
export class RateLimits {
  private readonly buckets: Readonly<Record<Bucket, TokenBuckets>>;
  private readonly refused: Counter<'bucket'>;

  constructor(@InjectConfig() config: GatewayConfig, metrics: Metrics) {
    this.buckets = {
      client: new TokenBuckets({
        name: 'client',
        perSecond: config.RATE_LIMIT_PER_SECOND,
        burst: config.RATE_LIMIT_BURST,
      }),
      credentials: new TokenBuckets({
        name: 'credentials',
        perSecond: config.CREDENTIAL_RATE_LIMIT_PER_SECOND,
        burst: config.CREDENTIAL_RATE_LIMIT_BURST,
      }),
    };
    this.refused = new Counter({
      name: 'payflow_gateway_rate_limited_total',
      help: 'Requests refused because their bucket was empty.',
      labelNames: ['bucket'],
      registers: [metrics],
    });
  }

  /**
   * Takes one token.
   *
   * @returns the RateLimit headers of the answer
   * @throws Problem rate_limited
   */
  take(bucket: Bucket, key: string): Readonly<Record<string, string>> {
    const { policy } = this.buckets[bucket];
    const state = this.buckets[bucket].take(key);
    const headers = rateLimitHeaders(policy, state);
    if (state.allowed) return headers;
    this.refused.inc({ bucket });
    throw new Problem('rate_limited', {
      detail: `At most ${policy.perSecond} requests a second, ${policy.burst} at once.`,
      headers,
    });
  }
}
