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

/**
 * Kafka refuses a batch over 1 MiB, and the relay would try it for ever, with everything else behind it. A copy goes without
 * what is larger than this, which makes 1,001,000 bytes and our own headers; the row keeps it all.
 */
const COPIED_BODY_BYTES_MAX = 900_000;
const COPIED_HEADERS_BYTES_MAX = 100_000;
const COPIED_KEY_BYTES_MAX = 1_000;

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
  const bodyFits = (raw.value?.length ?? 0) <= COPIED_BODY_BYTES_MAX;
  const headersFit = Buffer.byteLength(JSON.stringify(raw.headers)) <= COPIED_HEADERS_BYTES_MAX;
  const keyFits = (raw.key?.length ?? 0) <= COPIED_KEY_BYTES_MAX;
  const leftOut = [...(bodyFits ? [] : ['body']), ...(headersFit ? [] : ['headers']), ...(keyFits ? [] : ['key'])];
  return {
    topic: deadLetterTopicOf(kind),
    key: keyFits ? (raw.key?.toString('utf8').replaceAll('\0', '') ?? null) : null,
    headers: { ...(headersFit ? raw.headers : {}), ...deadLetterHeaders(letter, leftOut) },
    envelope: null,
    raw: bodyFits ? raw.value : null,
    aggregateId: null,
    sequence: null,
  };
};

const deadLetterHeaders = (letter: DeadLetter, leftOut: readonly string[]): Headers => ({
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
  ...(leftOut.length === 0 ? {} : { 'dlq-left-out': `for its size: ${leftOut.join(', ')}; the dead letter has it` }),
});
