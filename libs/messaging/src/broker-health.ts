import { Gauge, type Registry } from 'prom-client';

import type { KafkaCluster } from './kafka/cluster.js';

const CHECK_EVERY_MS = 5_000;

/**
 * Whether the broker answers, for people to see. It does not make a service unready: requests are served without the
 * broker, and what they publish waits in the outbox.
 */
export class BrokerHealth {
  private state: 'unknown' | 'up' | 'down' = 'unknown';
  private timer: NodeJS.Timeout | undefined;
  private readonly gauge: Gauge;

  constructor(
    private readonly cluster: KafkaCluster,
    registry: Registry,
  ) {
    this.gauge = new Gauge({
      name: 'payflow_broker_up',
      help: '1 when the broker answered the last question, 0 when not.',
      registers: [registry],
    });
  }

  get broker(): 'unknown' | 'up' | 'down' {
    return this.state;
  }

  start(): void {
    void this.check();
    this.timer ??= setInterval(() => void this.check(), CHECK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    this.state = await this.cluster.ping().then(
      () => 'up' as const,
      () => 'down' as const,
    );
    this.gauge.set(this.state === 'up' ? 1 : 0);
  }
}
