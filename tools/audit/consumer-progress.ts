import { aggregateKindOf, OWNER_OF, TOPICS } from '@payflow/contracts';

import { hasTable } from './broker.ts';
import { confirmed, type Wrong } from './confirm.ts';
import { timeOfId } from './id-time.ts';
import type { Finding } from './invariant.ts';
import { merged } from './merge.ts';
import { keptSince } from './outbox-order.ts';
import type { ReadDatabase } from './read-database.ts';
import type { Sources } from './sources.ts';
import { type KnownSubscription, topicsOf } from './subscriptions.ts';

/** A subscription with the databases of the two sides. */
export interface Route {
  readonly subscription: KnownSubscription;
  readonly consumer: ReadDatabase;
  readonly owner: ReadDatabase;
}

export const routeOf = (sources: Sources, subscription: KnownSubscription): Route => {
  const consumer = sources.databases.get(subscription.service);
  const owner = sources.databases.get(OWNER_OF[subscription.kind]);
  if (consumer === undefined || owner === undefined)
    throw new Error(`invariant: ${subscription.consumer} has two databases`);
  return { subscription, consumer, owner };
};

interface Lagging {
  readonly id: string;
  /** What was published when the gate was first looked at. */
  readonly goal: bigint;
}

/** Gates that have not passed what was published, and gates that have passed more than that. */
export async function* gatesBehind(
  sources: Sources,
  { subscription, consumer, owner }: Route,
): AsyncGenerator<Finding> {
  interface Gate {
    readonly id: string;
    readonly applied: bigint;
  }
  const gates = consumer.stream<Gate>(
    `SELECT aggregate_id AS id, next_sequence - 1 AS applied FROM gates WHERE consumer = $1
      ORDER BY aggregate_id COLLATE "C"`,
    [subscription.consumer],
  );
  const published = owner.stream<Lagging>(
    // A service may own several kinds of aggregates.
    `SELECT s.aggregate_id AS id, s.last_sequence AS goal FROM publication_sequences s
      WHERE s.last_by_topic ?| $1::text[] ORDER BY s.aggregate_id COLLATE "C"`,
    [TOPICS[subscription.kind]],
  );
  const ahead: Finding[] = [];
  const lagging = merged(
    gates,
    published,
    { left: ({ id }: Gate) => id, right: ({ id }: Lagging) => id },
    (gate, last): Lagging | undefined => {
      sources.compared('gates', 1);
      const applied = gate?.applied ?? 0n;
      if (gate !== undefined && applied > (last?.goal ?? 0n)) {
        const problem = `${subscription.consumer} has applied event ${applied}, published was ${last?.goal ?? 0n}`;
        ahead.push({ problem, ids: { aggregate: gate.id } });
      }
      return last !== undefined && applied < last.goal ? last : undefined;
    },
  );
  yield* confirmed(sources, lagging, (suspects) => stillBehind(subscription.consumer, consumer, suspects));
  yield* ahead;
}

const stillBehind = async (
  name: string,
  consumer: ReadDatabase,
  suspects: readonly Lagging[],
): Promise<readonly Wrong<Lagging>[]> => {
  const rows = await consumer.query<{ id: string; applied: bigint; letter: string | null; parked: number }>(
    `SELECT wanted.id, coalesce(g.next_sequence - 1, 0) AS applied,
            (SELECT min(d.dead_letter_id) FROM dead_letters d
              WHERE d.consumer = $1 AND d.aggregate_id = wanted.id AND d.status IN ('open', 'replaying')) AS letter,
            (SELECT count(*) FROM parked p WHERE p.consumer = $1 AND p.aggregate_id = wanted.id)::int AS parked
       FROM unnest($2::text[]) AS wanted (id)
       LEFT JOIN gates g ON g.consumer = $1 AND g.aggregate_id = wanted.id`,
    [name, suspects.map(({ id }) => id)],
  );
  const states = new Map(rows.map((row) => [row.id, row]));
  return suspects.flatMap((suspect) => {
    const state = states.get(suspect.id);
    if (state === undefined || state.applied >= suspect.goal) return [];
    const why =
      state.letter === null
        ? state.parked > 0
          ? `; ${state.parked} wait behind it`
          : ''
        : `; it waits for dead letter ${state.letter}`;
    const problem = `${name} has applied event ${state.applied}, published was ${suspect.goal}${why}`;
    return [{ suspect, finding: { problem, ids: { aggregate: suspect.id } } }];
  });
};

interface EventRow {
  readonly event: string;
}

/** Events that the inbox lacks when the grace is over, has twice, or has although nobody committed them. */
export async function* inboxDifferences(
  sources: Sources,
  { subscription, consumer, owner }: Route,
): AsyncGenerator<Finding> {
  const name = subscription.consumer;
  const twice = await consumer.query<EventRow>(
    `SELECT event_id AS event FROM inbox WHERE consumer = $1 GROUP BY event_id HAVING count(*) > 1 LIMIT 1000`,
    [name],
  );
  for (const { event } of twice) yield { problem: `the inbox of ${name} has it more than once`, ids: { event } };

  const kept = keptSince();
  const invented: Finding[] = [];
  const keyOf = ({ event }: EventRow): string => event;
  const missing = merged(
    consumer.stream<EventRow>(
      `SELECT DISTINCT event_id AS event, event_id COLLATE "C" AS place FROM inbox WHERE consumer = $1 ORDER BY place`,
      [name],
    ),
    owner.stream<EventRow>(
      `SELECT headers->>'ce_id' AS event FROM outbox WHERE envelope IS NOT NULL AND topic = ANY($1)
        ORDER BY (headers->>'ce_id') COLLATE "C"`,
      [topicsOf(subscription)],
    ),
    { left: keyOf, right: keyOf },
    (received, committed): string | undefined => {
      sources.compared('inbox rows', 1);
      if (received === undefined) return committed?.event;
      const made = timeOfId(received.event);
      if (committed === undefined && (made === undefined || made >= kept))
        invented.push({ problem: `${name} took an event that nobody committed`, ids: { event: received.event } });
      return undefined;
    },
  );
  yield* confirmed(sources, missing, async (events) => {
    const rows = await consumer.query<EventRow>(
      'SELECT event_id AS event FROM inbox WHERE consumer = $1 AND event_id = ANY($2)',
      [name, events],
    );
    const there = new Set(rows.map(keyOf));
    return events
      .filter((event) => !there.has(event))
      .map((event) => ({
        suspect: event,
        finding: { problem: `the inbox of ${name} does not have it`, ids: { event } },
      }));
  });
  yield* invented;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  /** Where the partition ended when it was first looked at. */
  readonly end: bigint;
}

/**
 * The database knows how far a consumer has come; Kafka's own offsets follow it. They may be behind, never ahead; and when the
 * grace is over, the database must have reached where the topics ended at the first look.
 */
export async function* offsetsBehind(sources: Sources, { subscription, consumer }: Route): AsyncGenerator<Finding> {
  const name = subscription.consumer;
  const topics = topicsOf(subscription);
  const { reader } = sources.broker;
  const clusterId = await reader.clusterId();
  const committed = await reader.committedOffsets(name, topics);
  const extents = await reader.extents(topics);
  sources.compared('partitions', extents.length);
  for (const [place, next] of await storedOffsets(consumer, name, clusterId)) {
    const told = committed.get(place);
    if (told !== undefined && told > next)
      yield {
        problem: `Kafka believes that ${name} has come to ${told}, its database says ${next}`,
        ids: { partition: place },
      };
  }
  const suspects = async function* (): AsyncGenerator<Place> {
    await Promise.resolve();
    yield* extents.filter(({ first, end }) => end > first);
  };
  yield* confirmed(sources, suspects(), async (places) => {
    const stored = await storedOffsets(consumer, name, clusterId);
    return places.flatMap((suspect) => {
      const partition = `${suspect.topic}/${suspect.partition}`;
      const next = stored.get(partition) ?? 0n;
      if (next >= suspect.end) return [];
      const problem = `${name} has read up to ${next} of ${suspect.end}`;
      return [{ suspect, finding: { problem, ids: { partition } } }];
    });
  });
}

const storedOffsets = async (
  database: ReadDatabase,
  consumer: string,
  clusterId: string,
): Promise<ReadonlyMap<string, bigint>> => {
  const rows = await database.query<{ place: string; next_offset: bigint }>(
    `SELECT topic || '/' || partition AS place, next_offset FROM consumer_offsets WHERE consumer = $1 AND cluster_id = $2`,
    [consumer, clusterId],
  );
  return new Map(rows.map((row) => [row.place, row.next_offset]));
};

/**
 * Events of ours that a consumer gave up and nobody has decided on. Messages that no service committed (poison from outside)
 * are none: they had nothing to take effect, and are only told.
 */
export async function* openDeadLetters(sources: Sources): AsyncGenerator<Finding> {
  let strangers = 0;
  for (const database of sources.databases.values()) {
    if (!(await hasTable(database, 'dead_letters'))) continue;
    const letters = await database.query<{
      id: string;
      consumer: string;
      topic: string;
      event: string | null;
      aggregate: string | null;
      sequence: bigint | null;
      reason: string;
    }>(
      `SELECT dead_letter_id AS id, consumer, topic, event_id AS event, aggregate_id AS aggregate, sequence, reason
         FROM dead_letters WHERE status IN ('open', 'replaying') ORDER BY dead_letter_id`,
    );
    for (const { id, consumer, topic, event, aggregate, sequence, reason } of letters) {
      const kind = aggregateKindOf(topic);
      const owner = kind === undefined ? undefined : sources.databases.get(OWNER_OF[kind]);
      const ours =
        owner !== undefined &&
        (
          await owner.query(`SELECT FROM outbox WHERE aggregate_id = $1 AND sequence = $2 AND headers->>'ce_id' = $3`, [
            aggregate,
            sequence,
            event,
          ])
        ).length > 0;
      if (!ours) {
        strangers += 1;
        continue;
      }
      yield {
        problem: `${consumer} gave it up: ${reason}`,
        ids: { event: event ?? '', aggregate: aggregate ?? '', deadLetter: id },
      };
    }
  }
  if (strangers > 0) sources.note(`${strangers} open dead letters are no events of ours`);
}

/** A consumer that has rows here and is not known would go unchecked. */
export async function* unknownConsumers(
  sources: Sources,
  subscriptions: readonly KnownSubscription[],
): AsyncGenerator<Finding> {
  const known = new Set(subscriptions.map(({ consumer }) => consumer));
  for (const database of sources.databases.values()) {
    if (!(await hasTable(database, 'consumer_offsets'))) continue;
    const rows = await database.query<{ consumer: string }>('SELECT DISTINCT consumer FROM consumer_offsets');
    for (const { consumer } of rows)
      if (!known.has(consumer))
        yield { problem: `the audit does not know this consumer of ${database.name}`, ids: { consumer } };
  }
}
