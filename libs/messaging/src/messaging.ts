import type { AggregateKind } from '@payflow/contracts';
import type { Database } from '@payflow/postgres';
import type { Logger } from '@payflow/service';
import type { Registry } from 'prom-client';

import { BrokerHealth } from './broker-health.js';
import { DeadLetterJobs } from './dead-letters/dead-letter-jobs.js';
import { DeadLetters } from './dead-letters/dead-letters.js';
import { EventCatchUp } from './gaps/catch-up.js';
import { GapWatch } from './gaps/gap-watch.js';
import { OwnerEvents } from './gaps/owner-events.js';
import { GateProgress } from './inbox/gate-progress.js';
import { Intake, type IntakeParts } from './inbox/intake.js';
import { Retries } from './inbox/retries.js';
import { KafkaCluster } from './kafka/cluster.js';
import { KafkaConsumer } from './kafka/consumer.js';
import type { ConsumerBinding } from './message.js';
import { MessagingMetrics } from './metrics.js';
import { Housekeeping } from './outbox/housekeeping.js';
import { Outbox } from './outbox/outbox.js';
import { Relay } from './outbox/relay.js';
import { MESSAGING_DEFAULTS, type MessagingSettings } from './settings.js';

export interface MessagingParts {
  readonly service: string;
  readonly brokers: readonly string[];
  readonly database: Database;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Where each kind's events can be asked for when Kafka does not bring them. */
  readonly ownerUrls: Partial<Record<AggregateKind, string>>;
  /** An access token with the scope `internal`. */
  readonly serviceToken: () => Promise<string>;
  readonly settings?: Partial<MessagingSettings>;
}

/** Everything of a service that sends and receives events, put together. Nest's part of it is messaging.module.ts. */
export class Messaging {
  readonly settings: MessagingSettings;
  readonly cluster: KafkaCluster;
  readonly relay: Relay;
  readonly outbox: Outbox;
  readonly deadLetters: DeadLetters;
  readonly deadLetterJobs: DeadLetterJobs;
  readonly catchUp: EventCatchUp;
  readonly brokerHealth: BrokerHealth;
  private readonly bindings = new Map<string, ConsumerBinding>();
  private readonly intakes = new Map<string, Intake>();
  private readonly consumers: KafkaConsumer[] = [];
  private readonly retries: Retries;
  private readonly gaps: GapWatch;
  private readonly housekeeping: Housekeeping;
  private readonly metrics: MessagingMetrics;
  private readonly intakeParts: IntakeParts;

  constructor(private readonly parts: MessagingParts) {
    const { service, database, logger } = parts;
    this.settings = { ...MESSAGING_DEFAULTS, ...parts.settings };
    this.cluster = new KafkaCluster(parts.brokers, service, logger, this.settings);
    this.relay = new Relay(database, this.cluster, logger, this.settings);
    this.outbox = new Outbox(service, this.settings.messageBytesMax, () => {
      this.relay.poke();
    });
    this.metrics = new MessagingMetrics(parts.registry, database);
    this.brokerHealth = new BrokerHealth(this.cluster, parts.registry);
    const progress = new GateProgress();
    this.intakeParts = {
      database,
      logger,
      progress,
      settings: this.settings,
      observe: (consumer, seconds) => {
        this.metrics.observe(consumer, seconds);
      },
    };
    const owners = new OwnerEvents(parts.ownerUrls, parts.serviceToken);
    this.deadLetters = new DeadLetters(service, database, this.bindings, this.settings);
    this.deadLetterJobs = new DeadLetterJobs({ database, logger, settings: this.settings, bindings: this.bindings });
    this.catchUp = new EventCatchUp({
      database,
      intakes: this.intakes,
      owners,
      progress,
      logger,
      cluster: this.cluster,
    });
    this.retries = new Retries(this.bindings, this.intakeParts);
    this.gaps = new GapWatch(database, this.intakes, owners, logger, this.settings);
    this.housekeeping = new Housekeeping(database, logger, this.settings);
  }

  /** Before `start`. */
  subscribe(binding: ConsumerBinding): void {
    if (this.bindings.has(binding.consumer))
      throw new Error(`invariant: two subscriptions are called ${binding.consumer}`);
    const intake = new Intake(binding, this.intakeParts);
    this.bindings.set(binding.consumer, binding);
    this.intakes.set(binding.consumer, intake);
    const { database, logger } = this.parts;
    const { cluster, settings, metrics } = this;
    this.consumers.push(new KafkaConsumer(intake, { cluster, database, logger, settings, metrics }));
  }

  /** Returns at once: what needs the broker waits for it in the background, and the service serves without it. */
  start(): void {
    this.relay.start();
    for (const consumer of this.consumers) consumer.start();
    this.retries.start();
    this.deadLetterJobs.start();
    this.gaps.start();
    this.housekeeping.start();
    this.brokerHealth.start();
  }

  /** First at a stop, while requests are still being finished. */
  async stopConsuming(): Promise<void> {
    this.brokerHealth.stop();
    await Promise.all([
      ...this.consumers.map((consumer) => consumer.stop()),
      this.retries.stop(),
      this.deadLetterJobs.stop(),
      this.gaps.stop(),
      this.housekeeping.stop(),
    ]);
  }

  /** Last at a stop: what the finished requests have committed goes out. */
  async stop(): Promise<void> {
    await this.stopConsuming();
    await this.relay.stop();
  }
}
