import type { DEAD_LETTER_STATUSES } from '@payflow/contracts';
import type { Sql } from '@payflow/postgres';

import type { Headers, RawMessage } from '../message.js';
import { messageOf } from '../inbox/parked-sql.js';

export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number];

export interface DeadLetter {
  readonly deadLetterId: string;
  readonly consumer: string;
  readonly status: DeadLetterStatus;
  readonly eventId: string | null;
  readonly claimed: boolean;
  readonly aggregateId: string | null;
  readonly sequence: number | null;
  readonly raw: RawMessage;
  readonly digest: string;
  readonly reason: string;
  readonly errorLine: string;
  readonly attempts: number;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
}

/** As it is stored: the database says which group it belongs to. */
export interface StoredDeadLetter extends DeadLetter {
  readonly groupId: string;
}

interface DeadLetterRow {
  readonly dead_letter_id: string;
  readonly consumer: string;
  readonly status: DeadLetterStatus;
  readonly event_id: string | null;
  readonly claimed: boolean;
  readonly aggregate_id: string | null;
  readonly sequence: bigint | null;
  readonly topic: string;
  readonly partition: number;
  readonly kafka_offset: bigint;
  readonly key: Buffer | null;
  readonly headers: Headers;
  readonly value: Buffer | null;
  readonly digest: string;
  readonly reason: string;
  readonly error_line: string;
  readonly attempts: number;
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
  readonly group_id: string;
}

const deadLetterOf = (row: DeadLetterRow): StoredDeadLetter => ({
  deadLetterId: row.dead_letter_id,
  consumer: row.consumer,
  status: row.status,
  eventId: row.event_id,
  claimed: row.claimed,
  aggregateId: row.aggregate_id,
  sequence: row.sequence === null ? null : Number(row.sequence),
  raw: messageOf(row),
  digest: row.digest,
  reason: row.reason,
  errorLine: row.error_line,
  attempts: row.attempts,
  firstFailedAt: row.first_failed_at,
  lastFailedAt: row.last_failed_at,
  groupId: row.group_id,
});

/**
 * @returns whether it is new: a message that was read again is the dead letter it was. An event that was fetched from its
 *   owner (partition -1) is no second letter for a place in the order that already has one.
 */
export const insertDeadLetter = async (tx: Sql, letter: DeadLetter): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO dead_letters (dead_letter_id, consumer, status, event_id, claimed, aggregate_id, sequence, topic, partition,
                               kafka_offset, key, headers, value, digest, reason, error_line, attempts, first_failed_at,
                               last_failed_at)
     SELECT $1::text, $2::text, $3::text, $4::text, $5::boolean, $6::text, $7::bigint, $8::text, $9::int, $10::bigint,
            $11::bytea, $12::jsonb, $13::bytea, $14::text, $15::text, $16::text, $17::int, $18::timestamptz, $19::timestamptz
     WHERE $9::int >= 0 OR NOT EXISTS (
       SELECT 1 FROM dead_letters d
       WHERE d.consumer = $2 AND d.aggregate_id = $6 AND d.sequence = $7 AND d.status IN ('open', 'replaying'))
     ON CONFLICT (consumer, topic, partition, kafka_offset, digest) DO NOTHING`,
    [
      letter.deadLetterId,
      letter.consumer,
      letter.status,
      letter.eventId,
      letter.claimed,
      letter.aggregateId,
      letter.sequence,
      letter.raw.topic,
      letter.raw.partition,
      letter.raw.offset,
      letter.raw.key,
      JSON.stringify(letter.raw.headers),
      letter.raw.value,
      letter.digest,
      letter.reason,
      letter.errorLine,
      letter.attempts,
      letter.firstFailedAt,
      letter.lastFailedAt,
    ],
  )) > 0;

/** A replay failed: the letter is open again, with one more attempt. */
export const reopenDeadLetter = async (
  tx: Sql,
  deadLetterId: string,
  failure: { readonly reason: string; readonly errorLine: string },
): Promise<DeadLetter> => {
  const [row] = await tx.query<DeadLetterRow>(
    `UPDATE dead_letters SET status = 'open', attempts = attempts + 1, last_failed_at = clock_timestamp(), reason = $2,
            error_line = $3
     WHERE dead_letter_id = $1 RETURNING *`,
    [deadLetterId, failure.reason, failure.errorLine],
  );
  if (row === undefined) throw new Error(`invariant: the replayed dead letter ${deadLetterId} does not exist`);
  return deadLetterOf(row);
};

export const findDeadLetter = async (sql: Sql, deadLetterId: string): Promise<StoredDeadLetter | undefined> => {
  const [row] = await sql.query<DeadLetterRow>('SELECT * FROM dead_letters WHERE dead_letter_id = $1', [deadLetterId]);
  return row === undefined ? undefined : deadLetterOf(row);
};

/** Newest first: ids sort by time. */
export const listDeadLetters = async (
  sql: Sql,
  query: {
    readonly before: string | undefined;
    readonly status: DeadLetterStatus | undefined;
    readonly group: string | undefined;
    readonly rowsMax: number;
  },
): Promise<readonly StoredDeadLetter[]> =>
  (
    await sql.query<DeadLetterRow>(
      `SELECT * FROM dead_letters
       WHERE ($1::text IS NULL OR dead_letter_id < $1) AND ($2::text IS NULL OR status = $2)
         AND ($3::text IS NULL OR group_id = $3)
       ORDER BY dead_letter_id DESC LIMIT $4`,
      [query.before ?? null, query.status ?? null, query.group ?? null, query.rowsMax],
    )
  ).map(deadLetterOf);
