import { Injectable } from '@nestjs/common';
import { Metrics } from '@payflow/service';
import { Counter, Histogram } from 'prom-client';

import type { GroupDecision } from '../domain/journal.js';

/** What the journal does, for /metrics. */
@Injectable()
export class JournalMetrics {
  private readonly transactions: Counter<'door' | 'outcome'>;
  private readonly refusals: Counter<'door' | 'code'>;
  private readonly batchSize: Histogram<'door'>;

  constructor(metrics: Metrics) {
    const registers = [metrics];
    this.transactions = new Counter({
      name: 'payflow_ledger_transactions_total',
      help: 'Drafts decided, by the door they came through and by outcome.',
      labelNames: ['door', 'outcome'] as const,
      registers,
    });
    this.refusals = new Counter({
      name: 'payflow_ledger_refusals_total',
      help: 'Drafts refused, by reason.',
      labelNames: ['door', 'code'] as const,
      registers,
    });
    this.batchSize = new Histogram({
      name: 'payflow_ledger_batch_transactions',
      help: 'Drafts decided in one database transaction.',
      labelNames: ['door'] as const,
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
      registers,
    });
  }

  observe(door: 'http' | 'event', decisions: readonly GroupDecision[]): void {
    let drafts = 0;
    for (const { posts, outcomes } of decisions) {
      drafts += outcomes.length;
      for (const outcome of outcomes) {
        if (outcome.kind === 'refused') this.refusals.inc({ door, code: outcome.refusal.code });
        this.transactions.inc({ door, outcome: posts || outcome.kind === 'refused' ? outcome.kind : 'withdrawn' });
      }
    }
    this.batchSize.observe({ door }, drafts);
  }
}
