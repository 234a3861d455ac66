import type { Sql } from '@payflow/postgres';

import type { DeadLetter, DeadLetterStatus } from './dead-letter-sql.js';

/** Which open letters: one of them, or all of a cause, or those that fit. */
export interface Selection {
  readonly group?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly filter?:
    | {
        readonly consumer?: string | undefined;
        readonly topic?: string | undefined;
        readonly from?: string | undefined;
        readonly to?: string | undefined;
      }
    | undefined;
}

/** Parameters $1 to $6. */
export const SELECTED_OPEN = `status = 'open'
   AND ($1::text IS NULL OR group_id = $1)
   AND ($2::text[] IS NULL OR dead_letter_id = ANY ($2))
   AND ($3::text IS NULL OR consumer = $3)
   AND ($4::text IS NULL OR topic = $4)
   AND ($5::timestamptz IS NULL OR first_failed_at >= $5)
   AND ($6::timestamptz IS NULL OR first_failed_at < $6)`;

export const selectionParameters = ({ group, ids, filter }: Selection): readonly unknown[] => [
  group ?? null,
  ids ?? null,
  filter?.consumer ?? null,
  filter?.topic ?? null,
  filter?.from ?? null,
  filter?.to ?? null,
];

export interface GroupRow {
  readonly group_id: string;
  readonly consumer: string;
  readonly topic: string;
  readonly reason: string;
  readonly error_line: string;
  readonly count: bigint;
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
  readonly newest: string;
}

/** The letters by their cause, the most frequent first. */
export const listGroups = async (sql: Sql, status: DeadLetterStatus, groupsMax: number): Promise<readonly GroupRow[]> =>
  await sql.query<GroupRow>(
    `SELECT g.*, newest.consumer, newest.topic, newest.reason, newest.error_line
       FROM (SELECT group_id, count(*) AS count, min(first_failed_at) AS first_failed_at,
                    max(last_failed_at) AS last_failed_at, max(dead_letter_id) AS newest
               FROM dead_letters WHERE status = $1 GROUP BY group_id ORDER BY count(*) DESC, group_id LIMIT $2) AS g
       JOIN dead_letters newest ON newest.dead_letter_id = g.newest
      ORDER BY g.count DESC, g.group_id`,
    [status, groupsMax],
  );

export const countSelected = async (sql: Sql, selection: Selection): Promise<number> => {
  const [row] = await sql.query<{ count: bigint }>(
    `SELECT count(*) AS count FROM dead_letters WHERE ${SELECTED_OPEN}`,
    selectionParameters(selection),
  );
  return Number(row?.count ?? 0n);
};

export const newestSelected = async (sql: Sql, selection: Selection, rowsMax: number): Promise<readonly string[]> =>
  (
    await sql.query<{ dead_letter_id: string }>(
      `SELECT dead_letter_id FROM dead_letters WHERE ${SELECTED_OPEN} ORDER BY dead_letter_id DESC LIMIT $7`,
      [...selectionParameters(selection), rowsMax],
    )
  ).map((row) => row.dead_letter_id);

/** A letter without its bytes. */
export type LetterPlace = Pick<DeadLetter, 'deadLetterId' | 'status' | 'consumer' | 'aggregateId' | 'sequence'>;

/** Until the transaction ends nobody else decides on them. In the order of their ids, so that two jobs do not block each other. */
export const lockLetters = async (tx: Sql, deadLetterIds: readonly string[]): Promise<readonly LetterPlace[]> => {
  const rows = await tx.query<{
    dead_letter_id: string;
    status: DeadLetterStatus;
    consumer: string;
    aggregate_id: string | null;
    sequence: bigint | null;
  }>(
    `SELECT dead_letter_id, status, consumer, aggregate_id, sequence FROM dead_letters
      WHERE dead_letter_id = ANY ($1::text[]) ORDER BY dead_letter_id FOR UPDATE`,
    [deadLetterIds],
  );
  return rows.map((row) => ({
    deadLetterId: row.dead_letter_id,
    status: row.status,
    consumer: row.consumer,
    aggregateId: row.aggregate_id,
    sequence: row.sequence === null ? null : Number(row.sequence),
  }));
};

/** Parks the letters' messages, due now, so that their consumers take them again under their old event ids. */
export const parkLetters = async (tx: Sql, deadLetterIds: readonly string[], attempts: number): Promise<void> => {
  await tx.execute(
    `INSERT INTO parked (consumer, event_id, aggregate_id, sequence, topic, partition, kafka_offset, key, headers, value,
                         attempts, first_failed_at, due_at, dead_letter_id)
     SELECT consumer, CASE WHEN claimed THEN event_id END, aggregate_id, sequence, topic, partition, kafka_offset, key,
            headers, value, $2, clock_timestamp(), clock_timestamp(), dead_letter_id
       FROM dead_letters WHERE dead_letter_id = ANY ($1::text[]) ORDER BY dead_letter_id`,
    [deadLetterIds, attempts],
  );
};

export const setStatuses = async (
  tx: Sql,
  deadLetterIds: readonly string[],
  status: DeadLetterStatus,
): Promise<void> => {
  await tx.execute('UPDATE dead_letters SET status = $2 WHERE dead_letter_id = ANY ($1::text[])', [
    deadLetterIds,
    status,
  ]);
};

export interface RecordedAction {
  readonly deadLetterId: string;
  readonly outcome: string | null;
}

/** Who did it, and why. */
export interface Doer {
  readonly principalId: string;
  readonly reason: string | null;
  readonly jobId: string | null;
}

export const recordActions = async (
  sql: Sql,
  action: 'replay' | 'dry_run' | 'discard',
  by: Doer,
  letters: readonly RecordedAction[],
): Promise<void> => {
  await sql.execute(
    `INSERT INTO dead_letter_actions (dead_letter_id, action, principal_id, reason, job_id, outcome)
     SELECT v.dead_letter_id, $1, $2, $3, $4, v.outcome
       FROM unnest($5::text[], $6::text[]) AS v (dead_letter_id, outcome)`,
    [
      action,
      by.principalId,
      by.reason,
      by.jobId,
      letters.map(({ deadLetterId }) => deadLetterId),
      letters.map(({ outcome }) => outcome),
    ],
  );
};

export interface ActionRow {
  readonly action_id: bigint;
  readonly dead_letter_id: string;
  readonly job_id: string | null;
  readonly action: 'replay' | 'dry_run' | 'discard';
  readonly principal_id: string;
  readonly reason: string | null;
  readonly outcome: string | null;
  readonly at: Date;
}

export const listActions = async (
  sql: Sql,
  query: {
    readonly before: bigint | undefined;
    readonly deadLetterId: string | undefined;
    readonly jobId: string | undefined;
    readonly rowsMax: number;
  },
): Promise<readonly ActionRow[]> =>
  await sql.query<ActionRow>(
    `SELECT action_id, dead_letter_id, job_id, action, principal_id, reason, outcome, at FROM dead_letter_actions
      WHERE ($1::bigint IS NULL OR action_id < $1) AND ($2::text IS NULL OR dead_letter_id = $2)
        AND ($3::text IS NULL OR job_id = $3)
      ORDER BY action_id DESC LIMIT $4`,
    [query.before ?? null, query.deadLetterId ?? null, query.jobId ?? null, query.rowsMax],
  );
