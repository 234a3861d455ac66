import { Injectable } from '@nestjs/common';
import { InjectConfig, Metrics, Problem } from '@payflow/service';
import { Counter, Gauge } from 'prom-client';

import type { GatewayConfig } from '../gateway.config.js';
import type { Upstream } from '../routing/route-table.js';
import { AdaptiveLimit } from './adaptive-limit.js';

/** Too much is under way already. Nothing was sent, so it may be repeated; it is no fault, so no log line tells of each. */
export class OverloadProblem extends Problem {
  constructor() {
    super('dependency_unavailable', {
      detail: 'More requests are under way than can be answered in good time.',
      headers: { 'retry-after': '1' },
    });
  }
}

/**
 * Reads and writes wait for different things: a service full of the ones still does the others. What is public is apart
 * from both: nobody who is unknown may keep out those who are known.
 */
export type Compartment = `${Upstream} ${'reads' | 'writes' | 'public'}`;

/**
 * How many requests may be under way at each service. What is more is refused at once, before its body is read: work that
 * is begun and given up later costs as much as work that is done, so a system that takes everything does less and less.
 */
@Injectable()
export class Bulkheads {
  private readonly underWay = new Map<Compartment, number>();
  private readonly refused: Counter<'compartment'>;
  private readonly limitMax: number;
  private readonly paymentWrites: AdaptiveLimit;

  constructor(@InjectConfig() config: GatewayConfig, metrics: Metrics) {
    this.limitMax = config.UPSTREAM_CONCURRENCY_MAX;
    this.paymentWrites = new AdaptiveLimit(this.limitMax);
    const { underWay } = this;
    new Gauge({
      name: 'payflow_gateway_requests_under_way',
      help: 'Requests that services have not answered yet.',
      labelNames: ['compartment'] as const,
      registers: [metrics],
      collect() {
        for (const [compartment, count] of underWay) this.set({ compartment }, count);
      },
    });
    this.refused = new Counter({
      name: 'payflow_gateway_overload_refusals_total',
      help: 'Requests refused because too many were under way at their service.',
      labelNames: ['compartment'],
      registers: [metrics],
    });
  }

  /**
   * Takes a place.
   *
   * @returns gives it back; once
   * @throws OverloadProblem
   */
  enter(compartment: Compartment): () => void {
    const count = this.underWay.get(compartment) ?? 0;
    if (count >= this.limitOf(compartment)) {
      this.refused.inc({ compartment });
      throw new OverloadProblem();
    }
    this.underWay.set(compartment, count + 1);
    return () => {
      this.underWay.set(compartment, (this.underWay.get(compartment) ?? 1) - 1);
    };
  }

  /** A card was swapped, in this time: how busy we are ourselves. */
  observeSwap(tookMs: number): void {
    this.paymentWrites.observe(tookMs);
  }

  private limitOf(compartment: Compartment): number {
    return compartment === 'payment writes' ? this.paymentWrites.current : this.limitMax;
  }
}
