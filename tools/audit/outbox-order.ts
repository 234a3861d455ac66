import { MESSAGING_DEFAULTS } from '@payflow/messaging';

import { hasTable, type TopicContents } from './broker.ts';
import { confirmed, type Wrong } from './confirm.ts';
import { timeOfId } from './id-time.ts';
import type { Finding } from './invariant.ts';
import type { ReadDatabase } from './read-database.ts';
import type { Sources } from './sources.ts';

const MS_PER_DAY = 86_400_000;

/** Before this, rows of an outbox may have been forgotten as they should. */
export const keptSince = (): Date => new Date(Date.now() - MESSAGING_DEFAULTS.outboxRetentionDays * MS_PER_DAY);

/** The databases that publish. */
export const outboxesOf = async (sources: Sources): Promise<readonly ReadDatabase[]> => {
  const databases = [...sources.databases.values()];
  const present = await Promise.all(databases.map((database) => hasTable(database, 'outbox')));
  return databases.filter((_, index) => present[index]);
};

interface Unsent {
  readonly position: bigint;
  readonly event: string;
}

/** Events that are still not on Kafka when the grace is over. */
export async function* unpublished(sources: Sources, outbox: ReadDatabase): AsyncGenerator<Finding> {
  const waiting = async function* (): AsyncGenerator<Unsent> {
    for await (const rows of outbox.stream<Unsent>(
      `SELECT position, coalesce(headers->>'ce_id', '') AS event FROM outbox WHERE published_at IS NULL ORDER BY position`,
    ))
      yield* rows;
  };
  const stillWaiting = async (unsent: readonly Unsent[]): Promise<readonly Wrong<Unsent>[]> => {
    const rows = await outbox.query<{ position: bigint }>(
      'SELECT position FROM outbox WHERE position = ANY($1) AND published_at IS NULL',
      [unsent.map(({ position }) => position)],
    );
    const left = new Set(rows.map(({ position }) => position));
    return unsent
      .filter(({ position }) => left.has(position))
      .map((suspect) => ({
        suspect,
        finding: {
          problem: `is in the outbox of ${outbox.name} and not published`,
          ids: { event: suspect.event, position: String(suspect.position) },
        },
      }));
  };
  yield* confirmed(sources, waiting(), stillWaiting);
}

/** Each aggregate's events are 1, 2, 3 … up to the last number that was given, but for those that are too old to be kept. */
export async function* brokenSequences(outbox: ReadDatabase): AsyncGenerator<Finding> {
  const kept = keptSince();
  const rows = outbox.stream<{ id: string; missing: bigint; first: bigint | null }>(
    `SELECT id, first, CASE WHEN rows IS NULL OR first > 1 THEN 1
                            WHEN rows < last - first + 1
                            THEN (SELECT min(s) FROM generate_series(first, last) AS s
                                   WHERE NOT EXISTS (SELECT FROM outbox WHERE aggregate_id = id AND sequence = s))
                            ELSE least(last, last_sequence) + 1 END AS missing
       FROM (SELECT aggregate_id AS id, count(*) AS rows, min(sequence) AS first, max(sequence) AS last
               FROM outbox WHERE aggregate_id IS NOT NULL GROUP BY aggregate_id) AS o
       FULL JOIN (SELECT aggregate_id AS id, last_sequence FROM publication_sequences) AS s USING (id)
      WHERE rows IS NULL AND last_sequence > 0 OR last_sequence IS DISTINCT FROM last OR rows <> last - first + 1 OR first > 1`,
  );
  for await (const portion of rows)
    for (const { id, missing } of portion) {
      const made = timeOfId(id);
      if (missing === 1n && made !== undefined && made < kept) continue;
      yield { problem: `the outbox of ${outbox.name} has no event ${missing}`, ids: { aggregate: id } };
    }
}

/** What the envelopes say of their own places: the number, and the one before it on the same topic. */
export async function* brokenChains(sources: Sources, outbox: ReadDatabase): AsyncGenerator<Finding> {
  const [row] = await outbox.query<{ events: number }>(
    'SELECT count(*)::int AS events FROM outbox WHERE envelope IS NOT NULL',
  );
  sources.compared('events', row?.events ?? 0);
  const rows = outbox.stream<{ event: string; id: string; sequence: bigint }>(
    `SELECT event, id, sequence FROM (
       SELECT event, id, sequence, said, said_id, previous,
              lag(sequence) OVER (PARTITION BY id, topic ORDER BY sequence) AS before,
              min(sequence) OVER (PARTITION BY id) AS first
         FROM (SELECT envelope::jsonb->>'eventId' AS event, aggregate_id AS id, topic, sequence,
                      (envelope::jsonb->>'sequence')::bigint AS said, envelope::jsonb->>'aggregateId' AS said_id,
                      (envelope::jsonb->>'previousSequence')::bigint AS previous
                 FROM outbox WHERE envelope IS NOT NULL OFFSET 0) AS told) AS walk
      WHERE said <> sequence OR said_id <> id
         OR CASE WHEN before IS NULL AND first > 1 THEN previous >= sequence ELSE previous IS DISTINCT FROM before END`,
  );
  for await (const portion of rows)
    for (const { event, id, sequence } of portion)
      yield {
        problem: `sequence or previousSequence of its envelope is not its place (${sequence})`,
        ids: { event, aggregate: id },
      };
}

/**
 * Events that were published before the topics were read and are not on their topic. Where the broker has forgotten old
 * messages, as old ones are not looked for.
 */
export async function* missingOnTopics(outbox: ReadDatabase, contents: TopicContents): AsyncGenerator<Finding> {
  const bound = contents.outboxes.get(outbox.name);
  if (bound === undefined) return;
  const rows = outbox.stream<{ event: string; topic: string; aggregate_id: string; occurred: Date }>(
    `SELECT headers->>'ce_id' AS event, topic, aggregate_id, (headers->>'ce_time')::timestamptz AS occurred FROM outbox
      WHERE envelope IS NOT NULL AND position <= $1 AND published_at <= $2`,
    [bound.position, bound.at],
  );
  for await (const portion of rows)
    for (const { event, topic, aggregate_id, occurred } of portion) {
      const oldest = contents.oldestKept.get(topic);
      if (contents.eventIds.has(event) || (oldest !== undefined && occurred < oldest)) continue;
      yield { problem: `was published and is not on ${topic}`, ids: { event, aggregate: aggregate_id } };
    }
}
