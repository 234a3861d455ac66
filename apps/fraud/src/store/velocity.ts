import { DISTINCT_CARDS_MAX, type VelocityKey } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { VelocityMeasure } from '../domain/features.js';

/*
 * What is counted: rows of a minute in `fraud_velocity`, and in `fraud_cards_seen` when each card was last seen. Both follow from
 * `fraud_decisions` and `fraud_outcomes` alone, so `rebuildVelocity` makes the same rows anew.
 */

/** Somebody or something that is counted. */
export interface Counted {
  readonly kind: VelocityKey;
  readonly value: string;
}

/** As the index `fraud_cards_seen_window` has it. */
const KIND_AND_VALUE = `(kind || ' ' || value) COLLATE "C"`;

/** Rows of one count: a hundred decisions a second for one merchant would otherwise wait for each other's commit. */
const SHARD = 'ascii(right(subject_id, 1)) % 4';

/** An attempt under each of those that it counts for, in one order, so that no two decisions lock each other out. */
export const countAttempt = async (
  tx: Tx,
  counted: readonly Counted[],
  attempt: {
    readonly subjectId: string;
    readonly minute: Date;
    readonly currency: string;
    readonly amountMinor: bigint;
  },
): Promise<void> => {
  await tx.execute(
    `INSERT INTO fraud_velocity AS v (kind, value, minute, currency, shard, attempts, declines, amount_minor)
     SELECT k.kind, k.value, $3, $4, ${SHARD}, 1, 0, $6
       FROM unnest($1::text[], $2::text[]) AS k (kind, value), (SELECT $5::text AS subject_id) AS s
      ORDER BY k.kind, k.value COLLATE "C"
     ON CONFLICT (kind, value, minute, currency, shard) DO UPDATE
        SET attempts = v.attempts + 1, amount_minor = v.amount_minor + excluded.amount_minor`,
    [
      counted.map(({ kind }) => kind),
      counted.map(({ value }) => value),
      attempt.minute,
      attempt.currency,
      attempt.subjectId,
      attempt.amountMinor,
    ],
  );
};

/**
 * Within one minute only the first sight of a card writes, so that many payments with one card do not wait for each other. The
 * primary key finds its row: no other index begins with a kind, since Postgres, which takes everybody for equally busy, would
 * as soon read every card of a merchant. The arrays stand in a `(SELECT $1)` each: by their lengths, every plan for the values at
 * hand would look better than the general one, and each decision would be planned anew.
 */
export const rememberCard = async (
  tx: Tx,
  counted: readonly Counted[],
  fingerprint: string,
  minute: Date,
): Promise<void> => {
  const withCards = counted.filter(({ kind }) => kind !== 'fingerprint');
  await tx.execute(
    `INSERT INTO fraud_cards_seen AS c (kind, value, fingerprint, minute)
     SELECT k.kind, k.value, $3, $4::timestamptz
       FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) AS k (kind, value)
      WHERE (SELECT s.minute < $4 FROM fraud_cards_seen s
              WHERE s.kind = k.kind AND s.value = k.value AND s.fingerprint = $3) IS NOT FALSE
      ORDER BY k.kind, k.value COLLATE "C"
     ON CONFLICT (kind, value, fingerprint) DO UPDATE SET minute = greatest(c.minute, excluded.minute)`,
    [withCards.map(({ kind }) => kind), withCards.map(({ value }) => value), fingerprint, minute],
  );
};

/** A window to be looked at, of whole minutes from that one on. */
export interface WindowSought extends Counted {
  readonly since: Date;
  readonly measures: ReadonlySet<VelocityMeasure>;
}

/** Cards are counted without the payment's own, and no more than can be asked for. What is not asked for is 0. */
export type WindowCounts = Readonly<Record<VelocityMeasure, bigint>>;

/**
 * What was counted before, in the order of the windows. Attempts, declines and amounts stand in the same rows, which are read
 * where one of them is asked for; cards are rows of their own, up to a thousand, which are read where cards are asked for. Planned
 * for its values each time: a general plan, which knows no times, may read all rows of the minutes, whoever they are of.
 */
export const sumWindows = async (
  sql: Sql,
  windows: readonly WindowSought[],
  payment: { readonly until: Date; readonly currency: string; readonly fingerprint: string | null },
): Promise<readonly WindowCounts[]> => {
  if (windows.length === 0) return [];
  return await sql.query<WindowCounts>(
    `SELECT v.*, c.*
       FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::boolean[], $5::boolean[]) WITH ORDINALITY
              AS w (kind, value, since, sums, cards, place)
      CROSS JOIN LATERAL (
            SELECT coalesce(sum(attempts), 0)::bigint AS attempts, coalesce(sum(declines), 0)::bigint AS declines,
                   coalesce(sum(amount_minor) FILTER (WHERE currency = $7), 0)::bigint AS amount
              FROM fraud_velocity
             WHERE w.sums AND kind = w.kind AND value = w.value AND minute >= w.since AND minute <= $6) AS v
      CROSS JOIN LATERAL (
            SELECT count(*) AS distinct_cards
              FROM (SELECT FROM fraud_cards_seen
                     WHERE w.cards AND ${KIND_AND_VALUE} = w.kind || ' ' || w.value AND minute >= w.since
                       AND fingerprint IS DISTINCT FROM $8 LIMIT ${String(DISTINCT_CARDS_MAX)}) AS seen) AS c
      ORDER BY w.place`,
    [
      windows.map(({ kind }) => kind),
      windows.map(({ value }) => value),
      windows.map(({ since }) => since),
      windows.map(({ measures }) => MEASURES_IN_ROWS.some((measure) => measures.has(measure))),
      windows.map(({ measures }) => measures.has('distinct_cards')),
      payment.until,
      payment.currency,
      payment.fingerprint,
    ],
  );
};

const MEASURES_IN_ROWS = ['attempts', 'declines', 'amount'] as const satisfies readonly VelocityMeasure[];

/** Everything a decision is counted for. */
const COUNTED_FOR = `
  CROSS JOIN LATERAL (VALUES ('fingerprint', d.fingerprint), ('user', d.user_id), ('merchant', d.merchant_id), ('ip', d.ip))
               AS k (kind, value)`;

/** Counts a decline for each of these payments, which were not declined before. */
export const countDeclines = async (tx: Tx, paymentIds: readonly string[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO fraud_velocity AS v (kind, value, minute, currency, shard, attempts, declines, amount_minor)
     SELECT k.kind, k.value, date_trunc('minute', o.declined_at) AS minute, d.currency, ${SHARD} AS shard, 0, count(*), 0
       FROM fraud_outcomes o JOIN fraud_decisions d ON d.subject_id = o.payment_id ${COUNTED_FOR}
      WHERE o.payment_id = ANY ($1::text[]) AND k.value IS NOT NULL
      GROUP BY k.kind, k.value, minute, d.currency, ${SHARD}
      ORDER BY k.kind, k.value, minute, d.currency, shard
     ON CONFLICT (kind, value, minute, currency, shard) DO UPDATE SET declines = v.declines + excluded.declines`,
    [paymentIds],
  );
};

/**
 * Counts anew what happened since then, and forgets what was counted. Decisions wait meanwhile; one that is half done is counted
 * once, by itself. The tables are locked in the order in which a decision writes them: no two wait for each other.
 */
export const rebuildVelocity = async (tx: Tx, since: Date): Promise<void> => {
  await tx.execute('LOCK TABLE fraud_cards_seen, fraud_velocity IN SHARE ROW EXCLUSIVE MODE');
  await tx.execute('DELETE FROM fraud_velocity');
  await tx.execute('DELETE FROM fraud_cards_seen');
  await tx.execute(
    `INSERT INTO fraud_velocity (kind, value, minute, currency, shard, attempts, declines, amount_minor)
     SELECT k.kind, k.value, date_trunc('minute', d.happened_at) AS minute, d.currency, ${SHARD} AS shard,
            sum(d.attempts), sum(d.declines), sum(d.amount_minor)
       FROM (SELECT at AS happened_at, subject_id, fingerprint, user_id, merchant_id, ip, currency, 1 AS attempts, 0 AS declines,
                    amount_minor
               FROM fraud_decisions
              UNION ALL
             SELECT o.declined_at, subject_id, fingerprint, user_id, merchant_id, ip, currency, 0, 1, 0
               FROM fraud_outcomes o JOIN fraud_decisions ON subject_id = o.payment_id WHERE o.declined_at IS NOT NULL
            ) AS d ${COUNTED_FOR}
      WHERE d.happened_at >= $1 AND k.value IS NOT NULL
      GROUP BY k.kind, k.value, minute, d.currency, ${SHARD}`,
    [since],
  );
  await tx.execute(
    `INSERT INTO fraud_cards_seen (kind, value, fingerprint, minute)
     SELECT k.kind, k.value, d.fingerprint, max(date_trunc('minute', d.at)) FROM fraud_decisions d ${COUNTED_FOR}
      WHERE d.at >= $1 AND k.kind <> 'fingerprint' AND k.value IS NOT NULL AND d.fingerprint IS NOT NULL
      GROUP BY k.kind, k.value, d.fingerprint`,
    [since],
  );
};

/** @returns how many rows went, at most as many as asked for in each table */
export const forgetVelocity = async (sql: Sql, before: Date, limit: number): Promise<number> => {
  const counts = await sql.execute(
    `DELETE FROM fraud_velocity WHERE ctid = ANY (ARRAY (
       SELECT ctid FROM fraud_velocity WHERE minute < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [before, limit],
  );
  const cards = await sql.execute(
    `DELETE FROM fraud_cards_seen WHERE ctid = ANY (ARRAY (
       SELECT ctid FROM fraud_cards_seen WHERE minute < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [before, limit],
  );
  return Math.max(counts, cards);
};
