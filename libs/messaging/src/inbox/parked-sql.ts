import type { Sql } from '@payflow/postgres';

import type { Headers, RawMessage } from '../message.js';
import type { Waiting } from './gate.js';

/** A message to be parked. `dueInMs` null: it waits for its predecessors. */
export interface NewParked {
  readonly raw: RawMessage;
  readonly eventId: string | null;
  readonly aggregateId: string | null;
  readonly sequence: number | null;
  readonly attempts: number;
  readonly failed: boolean;
  readonly dueInMs: number | null;
  readonly deadLetterId: string | null;
}

export interface ParkedHead extends Waiting {
  readonly parkedId: bigint;
  readonly aggregateId: string;
}

/** Which events of these aggregates are parked; without their bytes, which only the delivered ones need. */
export const parkedOf = async (
  tx: Sql,
  consumer: string,
  aggregateIds: readonly string[],
): Promise<readonly ParkedHead[]> => {
  const rows = await tx.query<{ parked_id: bigint; aggregate_id: string; sequence: bigint; attempts: number }>(
    `SELECT parked_id, aggregate_id, sequence, attempts FROM parked
     WHERE consumer = $1 AND aggregate_id = ANY ($2::text[]) ORDER BY aggregate_id, sequence, parked_id`,
    [consumer, aggregateIds],
  );
  return rows.map((row) => ({
    parkedId: row.parked_id,
    aggregateId: row.aggregate_id,
    sequence: Number(row.sequence),
    retrying: row.attempts > 0,
  }));
};

interface MessageRow {
  readonly topic: string;
  readonly partition: number;
  readonly kafka_offset: bigint;
  readonly key: Buffer | null;
  readonly headers: Headers;
  readonly value: Buffer | null;
}

export const messageOf = (row: MessageRow): RawMessage => ({
  topic: row.topic,
  partition: row.partition,
  offset: row.kafka_offset,
  key: row.key,
  value: row.value,
  headers: row.headers,
});

export const parkedMessages = async (
  tx: Sql,
  parkedIds: readonly bigint[],
): Promise<ReadonlyMap<bigint, RawMessage>> => {
  const rows = await tx.query<MessageRow & { parked_id: bigint }>(
    `SELECT parked_id, topic, partition, kafka_offset, key, headers, value FROM parked
     WHERE parked_id = ANY ($1::bigint[])`,
    [parkedIds],
  );
  return new Map(rows.map((row) => [row.parked_id, messageOf(row)]));
};

export const park = async (tx: Sql, consumer: string, messages: readonly NewParked[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO parked (consumer, event_id, aggregate_id, sequence, topic, partition, kafka_offset, key, headers, value,
                         attempts, first_failed_at, due_at, dead_letter_id)
     SELECT $1, v.event_id, v.aggregate_id, v.sequence, v.topic, v.partition, v.kafka_offset, v.key, v.headers, v.value,
            v.attempts, CASE WHEN v.failed THEN clock_timestamp() END,
            clock_timestamp() + v.due_in_ms * interval '1 millisecond', v.dead_letter_id
     FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::int[], $7::bigint[], $8::bytea[], $9::jsonb[],
                 $10::bytea[], $11::int[], $12::boolean[], $13::int[], $14::text[])
       AS v (event_id, aggregate_id, sequence, topic, partition, kafka_offset, key, headers, value, attempts, failed,
             due_in_ms, dead_letter_id)`,
    [
      consumer,
      messages.map(({ eventId }) => eventId),
      messages.map(({ aggregateId }) => aggregateId),
      messages.map(({ sequence }) => sequence),
      messages.map(({ raw }) => raw.topic),
      messages.map(({ raw }) => raw.partition),
      messages.map(({ raw }) => raw.offset),
      messages.map(({ raw }) => raw.key),
      messages.map(({ raw }) => JSON.stringify(raw.headers)),
      messages.map(({ raw }) => raw.value),
      messages.map(({ attempts }) => attempts),
      messages.map(({ failed }) => failed),
      messages.map(({ dueInMs }) => dueInMs),
      messages.map(({ deadLetterId }) => deadLetterId),
    ],
  );
};

/** Takes messages out of parking, for they were applied or are of no use; the dead letters among them are settled. */
export const unpark = async (tx: Sql, parkedIds: readonly bigint[]): Promise<void> => {
  if (parkedIds.length === 0) return;
  await tx.execute(
    `WITH gone AS (DELETE FROM parked WHERE parked_id = ANY ($1::bigint[]) RETURNING dead_letter_id)
     UPDATE dead_letters d SET status = 'replayed' FROM gone WHERE d.dead_letter_id = gone.dead_letter_id`,
    [parkedIds],
  );
};

/** Has the event at the gate tried soon, if it is parked and nobody is trying it already. */
export const wakeParked = async (tx: Sql, consumer: string, aggregateId: string, sequence: number): Promise<void> => {
  await tx.execute(
    `UPDATE parked SET due_at = clock_timestamp()
     WHERE consumer = $1 AND aggregate_id = $2 AND sequence = $3 AND due_at IS NULL`,
    [consumer, aggregateId, sequence],
  );
};

/** The same for many aggregates: the event at each one's gate. */
export const wakeAllParked = async (tx: Sql, consumer: string, next: ReadonlyMap<string, number>): Promise<void> => {
  if (next.size === 0) return;
  await tx.execute(
    `UPDATE parked p SET due_at = clock_timestamp()
     FROM unnest($2::text[], $3::bigint[]) AS v (aggregate_id, sequence)
     WHERE p.consumer = $1 AND p.aggregate_id = v.aggregate_id AND p.sequence = v.sequence AND p.due_at IS NULL`,
    [consumer, [...next.keys()], [...next.values()]],
  );
};

export interface ParkedCount {
  readonly consumer: string;
  readonly retrying: bigint;
  readonly waiting: bigint;
  readonly oldest_at: Date;
}

export const countParked = async (sql: Sql): Promise<readonly ParkedCount[]> =>
  await sql.query<ParkedCount>(
    `SELECT consumer, count(*) FILTER (WHERE due_at IS NOT NULL) AS retrying, count(*) FILTER (WHERE due_at IS NULL) AS waiting,
            min(parked_at) AS oldest_at
       FROM parked GROUP BY consumer ORDER BY consumer`,
  );
