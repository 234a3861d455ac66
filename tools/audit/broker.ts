import { allTopics } from '@payflow/contracts';
import { type RawMessage, TopicReader } from '@payflow/messaging';

import { holdsCardNumber } from './card-search.ts';
import { EventIdSet } from './event-id-set.ts';
import type { Finding } from './invariant.ts';
import type { ReadDatabase } from './read-database.ts';

const CARD_FINDINGS_MAX = 1_000;

/** How far an outbox had come right before the topics were read. */
export interface OutboxBound {
  readonly position: bigint;
  readonly at: Date;
}

/** What the topics held, from the beginning to where they ended when reading began. */
export interface TopicContents {
  readonly messages: number;
  readonly eventIds: EventIdSet;
  readonly outboxes: ReadonlyMap<string, OutboxBound>;
  /** Topics from which the broker has deleted old messages: when the oldest that is left was written. */
  readonly oldestKept: ReadonlyMap<string, Date>;
  readonly cardNumbers: readonly Finding[];
}

/** The broker, read once for all invariants: its topics may hold millions of messages. */
export class Broker {
  readonly reader: TopicReader;
  private readonly databases: ReadonlyMap<string, ReadDatabase>;
  private reading: Promise<TopicContents> | undefined;

  constructor(brokers: readonly string[], topicPrefix: string, databases: ReadonlyMap<string, ReadDatabase>) {
    this.reader = new TopicReader(brokers, topicPrefix);
    this.databases = databases;
  }

  async contents(progress: (sentence: string) => void): Promise<TopicContents> {
    return await (this.reading ??= this.read(progress));
  }

  private async read(progress: (sentence: string) => void): Promise<TopicContents> {
    const outboxes = await this.outboxBounds();
    const eventIds = new EventIdSet();
    const cardNumbers: Finding[] = [];
    const trimmed = new Set(
      (await this.reader.extents(allTopics())).filter(({ first }) => first > 0n).map(({ topic }) => topic),
    );
    const oldestKept = new Map<string, Date>();
    let seen = 0;
    const messages = await this.reader.readAll(allTopics(), (portion) => {
      for (const message of portion) {
        const eventId = message.headers['ce_id'];
        if (eventId !== undefined) eventIds.add(eventId);
        if (cardNumbers.length < CARD_FINDINGS_MAX && holdsCardNumber(textOf(message)))
          cardNumbers.push(cardFinding(message));
        if (trimmed.has(message.topic)) noteOldest(oldestKept, message);
      }
      seen += portion.length;
      progress(`${seen.toLocaleString('en')} messages`);
    });
    eventIds.seal();
    return { messages, eventIds, outboxes, oldestKept, cardNumbers };
  }

  private async outboxBounds(): Promise<ReadonlyMap<string, OutboxBound>> {
    const bounds = new Map<string, OutboxBound>();
    for (const [name, database] of this.databases) {
      if (!(await hasTable(database, 'outbox'))) continue;
      const [bound] = await database.query<OutboxBound>(
        'SELECT coalesce(max(position), 0) AS position, clock_timestamp() AS at FROM outbox',
      );
      if (bound !== undefined) bounds.set(name, bound);
    }
    return bounds;
  }
}

/** Whether the service takes part: not each one publishes, consumes or answers under keys. */
export const hasTable = async (database: ReadDatabase, table: string): Promise<boolean> => {
  const [row] = await database.query<{ present: boolean }>('SELECT to_regclass($1) IS NOT NULL AS present', [
    `public.${table}`,
  ]);
  return row?.present === true;
};

const textOf = ({ key, value, headers }: RawMessage): string =>
  [key?.toString('utf8') ?? '', value?.toString('utf8') ?? '', ...Object.values(headers)].join('\n');

const cardFinding = ({ topic, partition, offset, headers }: RawMessage): Finding => ({
  problem: 'a message holds a card number',
  ids: {
    ...(headers['ce_id'] === undefined ? {} : { event: headers['ce_id'] }),
    topic: `${topic}/${partition}`,
    offset: String(offset),
  },
});

/** Events carry their own time; the broker's is not needed to the second. */
const noteOldest = (oldestKept: Map<string, Date>, { topic, headers }: RawMessage): void => {
  const time = new Date(headers['ce_time'] ?? Number.NaN);
  const known = oldestKept.get(topic);
  if (!Number.isNaN(time.getTime()) && (known === undefined || time < known)) oldestKept.set(topic, time);
};
