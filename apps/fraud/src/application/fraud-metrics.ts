import { Injectable } from '@nestjs/common';
import type { FraudOutcome } from '@payflow/contracts';
import { Metrics } from '@payflow/service';
import { Counter, Histogram } from 'prom-client';

const MS_PER_SECOND = 1_000;
/** Seconds. The caller waits for 50 ms and no longer. */
const BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5];

/** How payments are judged, and how long it takes. */
@Injectable()
export class FraudMetrics {
  private readonly decisions: Counter<'outcome'>;
  private readonly seconds: Histogram;

  constructor(metrics: Metrics) {
    this.decisions = new Counter({
      name: 'payflow_fraud_decisions_total',
      help: 'New decisions by their outcome.',
      labelNames: ['outcome'],
      registers: [metrics],
    });
    this.seconds = new Histogram({
      name: 'payflow_fraud_decision_seconds',
      help: 'From the question to the committed decision, repeated questions too.',
      buckets: BUCKETS,
      registers: [metrics],
    });
  }

  decided(outcome: FraudOutcome): void {
    this.decisions.inc({ outcome });
  }

  took(ms: number): void {
    this.seconds.observe(ms / MS_PER_SECOND);
  }
}
