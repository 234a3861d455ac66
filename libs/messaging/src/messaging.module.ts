import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  type FactoryProvider,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { AggregateKind } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Health, InjectConfig, Logger, Metrics, Transports } from '@payflow/service';
import { z } from 'zod';

import { BrokerHealth } from './broker-health.js';
import { DeadLetterJobs } from './dead-letters/dead-letter-jobs.js';
import { DeadLetterJobsController } from './dead-letters/dead-letter-jobs.controller.js';
import { DeadLetters } from './dead-letters/dead-letters.js';
import { DeadLettersController } from './dead-letters/dead-letters.controller.js';
import { EventCatchUp } from './gaps/catch-up.js';
import { EventsController } from './gaps/events.controller.js';
import { InboxTransport } from './inbox-transport.js';
import { Messaging } from './messaging.js';
import { Outbox } from './outbox/outbox.js';
import { Relay } from './outbox/relay.js';
import { messagingConfigFields, type MessagingSettings } from './settings.js';

export interface OwnerAccess {
  /** Where each kind's events can be asked for when Kafka does not bring them. */
  readonly ownerUrls: Partial<Record<AggregateKind, string>>;
  /** An access token with the scope `internal`. */
  readonly serviceToken: () => Promise<string>;
}

interface OwnService {
  readonly service: string;
  readonly settings?: Partial<MessagingSettings>;
}

export type MessagingOptions = OwnService & OwnerAccess;

/** For a service whose addresses and tokens come from its configuration. */
export interface MessagingAsyncOptions extends OwnService {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  // Nest passes what `inject` names; it cannot be typed from here.
  readonly useFactory: (...dependencies: never[]) => OwnerAccess | Promise<OwnerAccess>;
}

const OWNER_ACCESS = Symbol('payflow:owner-access');

const kafkaConfigSchema = z.object({ KAFKA_BROKERS: z.array(z.string()).min(1), ...messagingConfigFields });

/** What the service's configuration says about Kafka. */
@Injectable()
class KafkaConfig {
  readonly brokers: readonly string[];
  readonly settings: Partial<MessagingSettings>;

  constructor(@InjectConfig() config: object) {
    const kafka = kafkaConfigSchema.parse(config);
    this.brokers = kafka.KAFKA_BROKERS;
    this.settings = {
      topicPartitions: kafka.KAFKA_TOPIC_PARTITIONS,
      topicReplication: kafka.KAFKA_TOPIC_REPLICATION,
      topicPrefix: kafka.KAFKA_TOPIC_PREFIX,
      retryTriesMax: kafka.MESSAGE_TRIES_MAX,
    };
  }
}

/** Outbox, relay, consumers, dead letters and the event API of a service. Global: imported once, by its root module. */
@Module({})
export class MessagingModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(private readonly messaging: Messaging) {}

  static forRoot({ ownerUrls, serviceToken, ...own }: MessagingOptions): DynamicModule {
    return moduleOf(own, { provide: OWNER_ACCESS, useFactory: () => ({ ownerUrls, serviceToken }) });
  }

  static forRootAsync({ imports, inject, useFactory, ...own }: MessagingAsyncOptions): DynamicModule {
    return {
      ...moduleOf(own, { provide: OWNER_ACCESS, useFactory, ...(inject === undefined ? {} : { inject }) }),
      ...(imports === undefined ? {} : { imports }),
    };
  }

  /** No new messages while the last requests are finished. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.messaging.stopConsuming();
  }

  /** What they committed goes out; the database pool is closed after this. */
  async onApplicationShutdown(): Promise<void> {
    await this.messaging.stop();
  }
}

const moduleOf = (own: OwnService, ownerAccess: FactoryProvider): DynamicModule => ({
  module: MessagingModule,
  global: true,
  controllers: [DeadLettersController, DeadLetterJobsController, EventsController],
  providers: [
    KafkaConfig,
    ownerAccess,
    {
      provide: Messaging,
      inject: [KafkaConfig, OWNER_ACCESS, Database, Logger, Metrics, Transports, Health],
      useFactory: (
        { brokers, settings }: KafkaConfig,
        owner: OwnerAccess,
        database: Database,
        logger: Logger,
        registry: Metrics,
        transports: Transports,
        health: Health,
      ) => {
        const messaging = new Messaging({
          ...owner,
          service: own.service,
          settings: { ...settings, ...own.settings },
          brokers,
          database,
          logger,
          registry,
        });
        transports.add(new InboxTransport(messaging));
        health.inform('broker', () => messaging.brokerHealth.broker);
        return messaging;
      },
    },
    partOf(Outbox, ({ outbox }) => outbox),
    partOf(Relay, ({ relay }) => relay),
    partOf(DeadLetters, ({ deadLetters }) => deadLetters),
    partOf(DeadLetterJobs, ({ deadLetterJobs }) => deadLetterJobs),
    partOf(EventCatchUp, ({ catchUp }) => catchUp),
    partOf(BrokerHealth, ({ brokerHealth }) => brokerHealth),
  ],
  exports: [Messaging, Outbox, Relay, DeadLetters, EventCatchUp, BrokerHealth],
});

const partOf = <Part>(
  token: abstract new (...parameters: never[]) => Part,
  choose: (messaging: Messaging) => Part,
): FactoryProvider<Part> => ({ provide: token, inject: [Messaging], useFactory: choose });
