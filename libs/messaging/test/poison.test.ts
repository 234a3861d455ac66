import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadLetterTopicOf } from '@payflow/contracts';
import { DatabaseUnavailableError } from '@payflow/postgres';
import { eventually } from '@payflow/testing';

import { type Messaging, PoisonError } from '../src/index.js';
import {
  type Bench,
  createBench,
  newAggregate,
  outgoing,
  recorder,
  sendEvents,
  sendRaw,
  TopicReader,
  wireEvent,
} from './support.js';

/** What the handler does with an aggregate: the test decides while it runs. */
const scripts = new Map<string, () => void>();
const handled: string[] = [];

let bench: Bench;
let messaging: Messaging;
let deadLetterTopic: TopicReader;

beforeAll(async () => {
  bench = await createBench();
  messaging = bench.messaging([
    recorder('test.poison', {
      before: ({ envelope }) => {
        handled.push(`${envelope.aggregateId}:${String(envelope.sequence)}`);
        scripts.get(`${envelope.aggregateId}:${String(envelope.sequence)}`)?.();
      },
    }),
  ]);
  await messaging.cluster.ensureTopics();
  deadLetterTopic = await TopicReader.open(messaging, deadLetterTopicOf('token'));
  messaging.start();
}, 60_000);

afterAll(async () => {
  await deadLetterTopic.close();
  await bench.close();
}, 60_000);

const sequencesOf = async (aggregateId: string, consumer = 'test.poison'): Promise<readonly number[]> =>
  (await bench.effects(consumer))
    .filter((effect) => effect.aggregateId === aggregateId)
    .map(({ sequence }) => sequence);

const applied = async (aggregateId: string, sequences: readonly number[], consumer = 'test.poison'): Promise<void> => {
  await eventually(async () => {
    expect(await sequencesOf(aggregateId, consumer)).toEqual(sequences);
  });
};

const lettersWith = async (text: string): Promise<readonly { reason: string; attempts: number }[]> =>
  (await messaging.deadLetters.list({ before: undefined, status: undefined, limit: 100 })).letters.filter(
    ({ raw }) => raw.value?.toString().includes(text) ?? false,
  );

describe('messages that cannot be read', () => {
  it('become dead letters, exactly they, and hold up nobody', async () => {
    const [first, second, healthy] = [newAggregate(), newAggregate(), newAggregate()];
    const wrongSchema = wireEvent(first, 1, 'created', { payload: { tokenId: 7 } });
    const unknownVersion = wireEvent(second, 1, 'created', { type: 'token.created.v9' });
    await sendEvents(messaging, [wireEvent(healthy, 1)]);
    // One key, so that all of them and a healthy event behind them share a partition.
    await sendRaw(messaging, 'token.created', healthy, 'this is no JSON');
    await sendRaw(messaging, 'token.created', healthy, Buffer.from([0xff, 0x00, 0xfe]));
    await sendRaw(messaging, 'token.created', healthy, '{"a":1}');
    await sendRaw(messaging, 'token.created', healthy, JSON.stringify(wrongSchema.envelope));
    await sendRaw(messaging, 'token.created', healthy, JSON.stringify(unknownVersion.envelope));
    await sendRaw(messaging, 'token.created', healthy, null);
    await sendRaw(messaging, 'token.created', healthy, JSON.stringify({ pad: randomBytes(450_000).toString('hex') }));
    await sendRaw(messaging, 'token.created', null, JSON.stringify(wireEvent(healthy, 2).envelope));
    await sendEvents(messaging, [wireEvent(healthy, 3)]);

    await applied(healthy, [1, 2, 3]);
    const reasons = [
      /^the value is not JSON$/,
      /^the value is not JSON$/,
      /^not an envelope/,
      /^the payload breaks token\.created\.v1: tokenId/,
      /^the type token\.created\.v9 is unknown$/,
      /^the value is null$/,
      /^the value has 9\d{5} bytes/,
    ];
    await eventually(async () => {
      const { letters } = await messaging.deadLetters.list({ before: undefined, status: 'open', limit: 100 });
      expect(letters).toHaveLength(reasons.length);
      for (const reason of new Set(reasons))
        expect(letters.map((letter) => letter.reason).join('\n')).toMatch(new RegExp(reason.source, 'm'));
      expect(deadLetterTopic.messages).toHaveLength(reasons.length);
    });
    const copy = deadLetterTopic.messages.find(({ value }) => value?.toString() === 'this is no JSON');
    expect(copy?.headers).toMatchObject({
      'dlq-consumer': 'test.poison',
      'dlq-topic': 'token.created',
      'dlq-reason': 'the value is not JSON',
      'dlq-attempts': '1',
    });
    expect(copy?.headers['dlq-partition']).toMatch(/^\d+$/);
    expect(copy?.headers['dlq-offset']).toMatch(/^\d+$/);
    expect(await sequencesOf(first)).toEqual([]);
  });

  it('that claim the id of a true event do not keep it out', async () => {
    const aggregateId = newAggregate();
    const event = wireEvent(aggregateId, 1);
    await sendRaw(messaging, event.topic, event.key, JSON.stringify({ ...event.envelope, payload: {} }));
    await eventually(async () => {
      expect(await lettersWith(event.envelope.eventId)).toHaveLength(1);
    });
    await sendEvents(messaging, [event]);
    await applied(aggregateId, [1]);
  });
});

describe('a handler that fails', () => {
  it('with one event holds up only the aggregate of that event', async () => {
    const [bad, good] = [newAggregate(), newAggregate()];
    let broken = true;
    scripts.set(`${bad}:2`, () => {
      if (broken) throw new Error('the far side is not there');
    });
    // One key, one topic: one partition.
    const events = [1, 2, 3].flatMap((sequence) => [wireEvent(bad, sequence), wireEvent(good, sequence)]);
    await sendEvents(
      messaging,
      events.map((event) => ({ ...event, key: 'one' })),
    );
    await applied(good, [1, 2, 3]);
    expect(await sequencesOf(bad)).toEqual([1]);
    broken = false;
    await applied(bad, [1, 2, 3]);
    expect(await lettersWith(bad)).toEqual([]);
  });

  it('three times and then works applies the event once, and in order', async () => {
    const aggregateId = newAggregate();
    let failures = 0;
    scripts.set(`${aggregateId}:1`, () => {
      failures += 1;
      // A chunk that fails is taken again one by one, so the first failure is seen twice.
      if (failures <= 4) throw new Error('not yet');
    });
    await sendEvents(messaging, [wireEvent(aggregateId, 1), wireEvent(aggregateId, 2, 'deleted')]);
    await applied(aggregateId, [1, 2]);
    expect(failures).toBe(5);
    expect(await lettersWith(aggregateId)).toEqual([]);
  });

  it('always ends among the dead letters, and what is behind it waits', async () => {
    const aggregateId = newAggregate();
    scripts.set(`${aggregateId}:1`, () => {
      throw new Error('never');
    });
    await sendEvents(
      messaging,
      [1, 2, 3, 4, 5, 6].map((sequence) => wireEvent(aggregateId, sequence)),
    );
    await eventually(async () => {
      expect(await lettersWith(aggregateId)).toMatchObject([{ reason: 'the handler failed: never', attempts: 5 }]);
    });
    // Its chunk, alone, and four tries when they were due: what came behind it did not have it tried again.
    expect(handled.filter((one) => one === `${aggregateId}:1`)).toHaveLength(6);
    expect(await sequencesOf(aggregateId)).toEqual([]);
    const parked = await bench.database.query('SELECT sequence FROM parked WHERE aggregate_id = $1 ORDER BY sequence', [
      aggregateId,
    ]);
    expect(parked).toEqual([2n, 3n, 4n, 5n, 6n].map((sequence) => ({ sequence })));
    await eventually(() => {
      const copies = deadLetterTopic.messages.filter(({ value }) => value?.toString().includes(aggregateId));
      expect(copies).toHaveLength(1);
      expect(copies[0]?.headers['dlq-error']).toMatch(/^Error: never at /);
      expect(copies[0]?.headers['dlq-attempts']).toBe('5');
    });
  });

  it('with a PoisonError gives the event up at once', async () => {
    const aggregateId = newAggregate();
    scripts.set(`${aggregateId}:1`, () => {
      throw new PoisonError('no such account will ever be');
    });
    await sendEvents(messaging, [wireEvent(aggregateId, 1)]);
    await eventually(async () => {
      expect(await lettersWith(aggregateId)).toMatchObject([{ reason: 'no such account will ever be', attempts: 1 }]);
    });
  });

  it('with an event that was parked early tries that one again, not the one that came', async () => {
    const aggregateId = newAggregate();
    let failures = 0;
    scripts.set(`${aggregateId}:2`, () => {
      failures += 1;
      if (failures <= 3) throw new Error('not yet');
    });
    await sendEvents(messaging, [wireEvent(aggregateId, 2), wireEvent(aggregateId, 3, 'deleted')]);
    await eventually(async () => {
      const parked = await bench.database.query('SELECT 1 FROM parked WHERE aggregate_id = $1', [aggregateId]);
      expect(parked).toHaveLength(2);
    });
    await sendEvents(messaging, [wireEvent(aggregateId, 1)]);
    await applied(aggregateId, [1, 2, 3]);
    expect(await lettersWith(aggregateId)).toEqual([]);
  });

  it('because a call of its own finds nobody holds up nobody either, among several events', async () => {
    const [unlucky, other] = [newAggregate(), newAggregate()];
    const one = { ...wireEvent(unlucky, 1), key: 'together' };
    const two = { ...wireEvent(other, 1), key: 'together' };
    await sendEvents(messaging, [one, two]);
    const calling = bench.messaging([
      recorder('test.calling', {
        before: ({ envelope }) => {
          if (envelope.aggregateId === unlucky)
            throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
        },
      }),
    ]);
    calling.start();
    await eventually(async () => {
      const aggregates = (await bench.effects('test.calling')).map(({ aggregateId }) => aggregateId);
      expect(aggregates).toContain(other);
    });
    await calling.stop();
  });

  it('because the database was away has used up none of its tries', async () => {
    const aggregateId = newAggregate();
    const triesMax = 3;
    let broken = true;
    let outages = 2 * triesMax;
    const consumer = bench.messaging(
      [
        recorder('test.outages', {
          before: ({ envelope }) => {
            if (envelope.aggregateId !== aggregateId) return;
            if (broken) throw new Error('set aside');
            outages -= 1;
            if (outages >= 0) throw new DatabaseUnavailableError('the database cannot be reached');
          },
        }),
      ],
      { settings: { retryTriesMax: triesMax, retryFirstDelayMs: 1_000, retryDelayMsMax: 1_000, retryLeaseMs: 1 } },
    );
    consumer.start();
    await sendEvents(messaging, [wireEvent(aggregateId, 1)]);
    await eventually(async () => {
      const parked = await bench.database.query('SELECT 1 FROM parked WHERE aggregate_id = $1', [aggregateId]);
      expect(parked).toHaveLength(1);
    });
    broken = false;
    await applied(aggregateId, [1], 'test.outages');
    expect(outages).toBe(-1);
    expect(await lettersWith(aggregateId)).toEqual([]);
    await consumer.stop();
  });
});

describe('a message so large that its copy would not fit', () => {
  it('is copied to the dead letters in part, and does not stop the relay', async () => {
    const marker = randomBytes(8).toString('hex');
    await messaging.cluster.send([
      {
        topic: 'token.created',
        messages: [
          { key: 'large', value: `${marker} ${'x'.repeat(890_000)}`, headers: { marker, note: 'y'.repeat(158_200) } },
        ],
      },
    ]);
    const aggregateId = newAggregate();
    await eventually(async () => {
      expect(await lettersWith(marker)).toHaveLength(1);
    });
    await bench.database.transaction((tx) => messaging.outbox.publish(tx, [outgoing(aggregateId)]));
    await applied(aggregateId, [1]);
    const copy = deadLetterTopic.messages.find(({ value }) => value?.toString().startsWith(marker));
    expect(copy?.headers['dlq-left-out']).toBe('for its size: headers; the dead letter has it');
    expect(copy?.headers['note']).toBeUndefined();
  });
});
