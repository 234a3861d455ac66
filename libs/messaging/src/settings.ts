import { z } from 'zod';

/** Environment variables of messaging; a service spreads them into its config schema when it wants to set them. */
export const messagingConfigFields = {
  KAFKA_TOPIC_PARTITIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .meta({ description: 'Partitions of each topic, when it is created.' }),
  KAFKA_TOPIC_REPLICATION: z.coerce
    .number()
    .int()
    .min(1)
    .max(9)
    .default(1)
    .meta({ description: 'Brokers that keep a copy of each topic, when it is created.' }),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-z0-9.-]{0,40}$/)
    .default('')
    .meta({ description: 'Before each topic and group, so that several installations can share a cluster.' }),
  MESSAGE_TRIES_MAX: z.coerce.number().int().min(1).max(100).default(12).meta({
    description:
      'How often a consumer tries a message before it becomes a dead letter: after half a second, doubled each time up to a minute.',
  }),
};

/** Every bound of the library in one place. */
export interface MessagingSettings {
  readonly topicPartitions: number;
  readonly topicReplication: number;
  readonly topicPrefix: string;
  /** Other instances' rows are found by polling; this process's own commits poke the relay. */
  readonly relayPollMs: number;
  readonly relayIdlePollMs: number;
  /** From one sending to the next, while there is something to send: what comes meanwhile goes out together. */
  readonly relayPaceMs: number;
  readonly relayBatchRowsMax: number;
  readonly relayBatchBytesMax: number;
  readonly relayElectionMs: number;
  readonly outboxRetentionDays: number;
  /** Longer than the outbox and Kafka keep anything, or a late duplicate would take effect again. */
  readonly inboxRetentionDays: number;
  readonly messageBytesMax: number;
  readonly chunkMessagesMax: number;
  /** From one fetch to the next, of a consumer that has caught up and does not say otherwise. */
  readonly fetchPaceMs: number;
  readonly retryFirstDelayMs: number;
  readonly retryDelayMsMax: number;
  readonly retryTriesMax: number;
  readonly retryPollMs: number;
  readonly retryIdlePollMs: number;
  readonly retryLeaseMs: number;
  readonly gapAgeMs: number;
  readonly gapPollMs: number;
  readonly fetchDeadlineMs: number;
  readonly offsetCommitMs: number;
  readonly stopDeadlineMs: number;
}

export const MESSAGING_DEFAULTS: MessagingSettings = {
  topicPartitions: 3,
  topicReplication: 1,
  topicPrefix: '',
  relayPollMs: 75,
  relayIdlePollMs: 300,
  relayPaceMs: 10,
  relayBatchRowsMax: 500,
  // Below the broker's message.max.bytes (1 MiB), which holds for a whole batch of a partition.
  relayBatchBytesMax: 700_000,
  relayElectionMs: 500,
  outboxRetentionDays: 7,
  inboxRetentionDays: 30,
  messageBytesMax: 262_144,
  chunkMessagesMax: 100,
  fetchPaceMs: 100,
  retryFirstDelayMs: 500,
  retryDelayMsMax: 60_000,
  // Half a second, doubled up to a minute: about six minutes in all.
  retryTriesMax: 12,
  retryPollMs: 100,
  retryIdlePollMs: 800,
  retryLeaseMs: 30_000,
  gapAgeMs: 5_000,
  gapPollMs: 1_000,
  fetchDeadlineMs: 3_000,
  offsetCommitMs: 1_000,
  stopDeadlineMs: 5_000,
};
