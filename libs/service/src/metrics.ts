import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

import type { Database } from '@payflow/postgres';

/** The service's metrics: apps register their own counters here (`registers: [metrics]`). No ids in labels. */
export class Metrics extends Registry {
  private readonly httpDuration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP requests by route, method and status.',
    labelNames: ['route', 'method', 'status'] as const,
    // As the OpenTelemetry HTTP semantic conventions advise.
    buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    registers: [this],
  });

  constructor() {
    super();
    collectDefaultMetrics({ register: this });
  }

  observeRequest(request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly seconds: number;
  }): void {
    const { route, method, status, seconds } = request;
    this.httpDuration.observe({ route, method, status: String(status) }, seconds);
  }

  watchPool(database: Database): void {
    // The driver keeps its pool there; TypeORM does not type it.
    const { master: pool } = database.dataSource.driver as unknown as {
      master: { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number };
    };
    new Gauge({
      name: 'payflow_database_pool_connections',
      help: 'Connections of the database pool by state; `waiting` counts callers in the queue.',
      labelNames: ['state'] as const,
      registers: [this],
      collect() {
        this.set({ state: 'open' }, pool.totalCount);
        this.set({ state: 'idle' }, pool.idleCount);
        this.set({ state: 'waiting' }, pool.waitingCount);
      },
    });
  }
}
