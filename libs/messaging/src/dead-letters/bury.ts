import { type AggregateKind, deadLetterTopicOf } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';

import type { Headers, RawMessage } from '../message.js';
import { insertOutboxRows } from '../outbox/outbox-sql.js';
import { digestOf } from '../inbox/decode.js';
import { type DeadLetter, insertDeadLetter, reopenDeadLetter } from './dead-letter-sql.js';

export interface Burial {
  readonly raw: RawMessage;
  readonly eventId: string | null;
  readonly claimed: boolean;
  readonly aggregateId: string | null;
  readonly sequence: number | null;
  readonly attempts: number;
  readonly firstFailedAt: Date | null;
  readonly reason: string;
  readonly errorLine: string;
  /** The letter it was before, when a replay failed. */
  readonly deadLetterId: string | null;
}

/** Kafka refuses a batch over 1 MiB; a copy that would come near it goes without its body, which the row keeps. */
const COPY_BYTES_MAX = 900_000;

/**
 * Gives a message up: a dead letter that people decide on, and a copy on the kind's dead-letter topic through the
 * outbox. The order of its aggregate stays where it is until the letter is replayed or discarded.
 */
export const bury = async (tx: Tx, consumer: string, kind: AggregateKind, burial: Burial): Promise<void> => {
  const letter =
    burial.deadLetterId === null
      ? await newLetter(tx, consumer, burial)
      : await reopenDeadLetter(tx, burial.deadLetterId, burial);
  if (letter !== undefined) await insertOutboxRows(tx, [copyOf(letter, kind)]);
};

const newLetter = async (tx: Tx, consumer: string, burial: Burial): Promise<DeadLetter | undefined> => {
  const now = new Date();
  const letter: DeadLetter = {
    ...burial,
    deadLetterId: newId('dl'),
    consumer,
    status: 'open',
    digest: digestOf(burial.raw.value),
    firstFailedAt: burial.firstFailedAt ?? now,
    lastFailedAt: now,
  };
  return (await insertDeadLetter(tx, letter)) ? letter : undefined;
};

const copyOf = (letter: DeadLetter, kind: AggregateKind) => {
  const { raw } = letter;
  const fits = (raw.value?.length ?? 0) <= COPY_BYTES_MAX;
  return {
    topic: deadLetterTopicOf(kind),
    key: raw.key?.toString('utf8').replaceAll('\0', '') ?? null,
    headers: deadLetterHeaders(letter, fits),
    envelope: null,
    raw: fits ? raw.value : null,
    aggregateId: null,
    sequence: null,
  };
};

const deadLetterHeaders = (letter: DeadLetter, bodyIncluded: boolean): Headers => ({
  ...letter.raw.headers,
  'dlq-id': letter.deadLetterId,
  'dlq-consumer': letter.consumer,
  'dlq-topic': letter.raw.topic,
  'dlq-partition': String(letter.raw.partition),
  'dlq-offset': String(letter.raw.offset),
  'dlq-reason': letter.reason,
  'dlq-error': letter.errorLine,
  'dlq-attempts': String(letter.attempts),
  'dlq-first-failed-at': letter.firstFailedAt.toISOString(),
  'dlq-last-failed-at': letter.lastFailedAt.toISOString(),
  ...(bodyIncluded ? {} : { 'dlq-body': 'left out for its size; the dead letter has it' }),
});
