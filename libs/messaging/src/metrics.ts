import { Gauge, Histogram, type Registry } from 'prom-client';

import type { Database } from '@payflow/postgres';

import { type OutboxBacklog, outboxBacklog } from './outbox/relay-sql.js';

interface CountRow {
  readonly consumer: string;
  readonly count: number;
}

/** What an operator watches. Gauges over tables are asked for when scraped; a database that is down leaves them out. */
export class MessagingMetrics {
  private readonly lag: Gauge<'consumer'>;
  private readonly duration: Histogram<'consumer'>;

  constructor(registry: Registry, database: Database) {
    const registers = [registry];
    this.lag = new Gauge({
      name: 'payflow_inbox_lag_seconds',
      help: 'Age of the last message taken while more are waiting; 0 when the consumer has caught up.',
      labelNames: ['consumer'],
      registers,
    });
    this.duration = new Histogram({
      name: 'messaging_process_duration_seconds',
      help: 'Duration of taking a chunk of messages, its transaction included.',
      labelNames: ['consumer'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    watchOutbox(registers, database);
    watchTable(registers, database, {
      name: 'payflow_dlq_messages',
      help: 'Dead letters that nobody has replayed or discarded.',
      sql: `SELECT consumer, count(*)::int AS count FROM dead_letters WHERE status IN ('open', 'replaying') GROUP BY consumer`,
    });
    watchTable(registers, database, {
      name: 'payflow_parked_messages',
      help: 'Messages that wait for a predecessor or for another try.',
      sql: 'SELECT consumer, count(*)::int AS count FROM parked GROUP BY consumer',
    });
  }

  inboxLag(consumer: string, seconds: number): void {
    this.lag.set({ consumer }, seconds);
  }

  observe(consumer: string, seconds: number): void {
    this.duration.observe({ consumer }, seconds);
  }
}

const watchOutbox = (registers: Registry[], database: Database): void => {
  const watch = (name: string, help: string, read: (backlog: OutboxBacklog) => number): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.reset();
        try {
          this.set(read(await outboxBacklog(database)));
        } catch {
          // As below.
        }
      },
    });
  };
  watch(
    'payflow_outbox_unpublished_messages',
    'Committed messages that Kafka has not acknowledged yet.',
    ({ unpublished }) => unpublished,
  );
  watch(
    'payflow_outbox_oldest_age_seconds',
    'Age of the oldest committed message that Kafka has not acknowledged yet.',
    ({ oldestAgeSeconds }) => oldestAgeSeconds,
  );
};

const watchTable = (
  registers: Registry[],
  database: Database,
  metric: { readonly name: string; readonly help: string; readonly sql: string },
): void => {
  new Gauge({
    name: metric.name,
    help: metric.help,
    labelNames: ['consumer'],
    registers,
    async collect() {
      this.reset();
      try {
        for (const { consumer, count } of await database.query<CountRow>(metric.sql)) this.set({ consumer }, count);
      } catch {
        // Readiness tells that the database is down; a scrape is no place to fail for it.
      }
    },
  });
};
