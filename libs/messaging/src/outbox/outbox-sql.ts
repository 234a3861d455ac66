import type { Sql } from '@payflow/postgres';

import type { Headers } from '../message.js';
import type { Publications } from './number-events.js';

/** A row to be sent. Exactly an event (`envelope`, `aggregateId`, `sequence`) or a copy of a dead letter (`raw`). */
export interface OutboxRow {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Headers;
  readonly envelope: string | null;
  readonly raw: Buffer | null;
  readonly aggregateId: string | null;
  readonly sequence: number | null;
}

interface SequenceRow {
  readonly aggregate_id: string;
  readonly last_sequence: bigint;
  readonly last_by_topic: Readonly<Record<string, number>>;
}

/** Locks the counters of these aggregates until the transaction ends, in the order of their ids. */
export const lockPublications = async (
  tx: Sql,
  aggregateIds: readonly string[],
): Promise<ReadonlyMap<string, Publications>> => {
  const rows = await tx.query<SequenceRow>(
    `INSERT INTO publication_sequences AS s (aggregate_id, last_sequence)
     SELECT id, 0 FROM unnest($1::text[]) AS id ORDER BY id
     ON CONFLICT (aggregate_id) DO UPDATE SET last_sequence = s.last_sequence
     RETURNING aggregate_id, last_sequence, last_by_topic`,
    [aggregateIds],
  );
  return publicationsOf(rows);
};

/** The same for aggregates that have published already; one that has not is not in the answer. */
export const holdPublications = async (
  tx: Sql,
  aggregateIds: readonly string[],
): Promise<ReadonlyMap<string, Publications>> =>
  publicationsOf(
    await tx.query<SequenceRow>(
      `SELECT aggregate_id, last_sequence, last_by_topic FROM publication_sequences
       WHERE aggregate_id = ANY ($1::text[]) ORDER BY aggregate_id FOR UPDATE`,
      [aggregateIds],
    ),
  );

const publicationsOf = (rows: readonly SequenceRow[]): ReadonlyMap<string, Publications> =>
  new Map(
    rows.map((row) => [row.aggregate_id, { lastSequence: Number(row.last_sequence), lastByTopic: row.last_by_topic }]),
  );

/** The counters of aggregates that nobody has published of. */
export const beginPublications = async (tx: Sql, publications: ReadonlyMap<string, Publications>): Promise<void> => {
  await tx.execute(
    `INSERT INTO publication_sequences (aggregate_id, last_sequence, last_by_topic)
     SELECT * FROM unnest($1::text[], $2::bigint[], $3::jsonb[])`,
    countersOf(publications),
  );
};

/** Arrays in a `SELECT` of their own, so that Postgres keeps its plan (see `lockGates`). */
export const storePublications = async (tx: Sql, publications: ReadonlyMap<string, Publications>): Promise<void> => {
  await tx.execute(
    `UPDATE publication_sequences s SET last_sequence = v.last_sequence, last_by_topic = v.last_by_topic
     FROM unnest((SELECT $1::text[]), (SELECT $2::bigint[]), (SELECT $3::jsonb[]))
       AS v (aggregate_id, last_sequence, last_by_topic)
     WHERE s.aggregate_id = v.aggregate_id`,
    countersOf(publications),
  );
};

const countersOf = (publications: ReadonlyMap<string, Publications>): readonly unknown[] => [
  [...publications.keys()],
  [...publications.values()].map(({ lastSequence }) => lastSequence),
  [...publications.values()].map(({ lastByTopic }) => JSON.stringify(lastByTopic)),
];

/** Positions are given in the order of the rows. */
export const insertOutboxRows = async (tx: Sql, rows: readonly OutboxRow[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO outbox (topic, key, headers, envelope, raw, aggregate_id, sequence)
     SELECT v.topic, v.key, v.headers, v.envelope, v.raw, v.aggregate_id, v.sequence
     FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::text[], $5::bytea[], $6::text[], $7::bigint[])
       WITH ORDINALITY AS v (topic, key, headers, envelope, raw, aggregate_id, sequence, ordinal)
     ORDER BY v.ordinal`,
    [
      rows.map((row) => row.topic),
      rows.map((row) => row.key),
      rows.map((row) => JSON.stringify(row.headers)),
      rows.map((row) => row.envelope),
      rows.map((row) => row.raw),
      rows.map((row) => row.aggregateId),
      rows.map((row) => row.sequence),
    ],
  );
};

export const lastSequenceOf = async (sql: Sql, aggregateId: string): Promise<number> => {
  const [row] = await sql.query<{ last_sequence: bigint }>(
    'SELECT last_sequence FROM publication_sequences WHERE aggregate_id = $1',
    [aggregateId],
  );
  return Number(row?.last_sequence ?? 0);
};
