import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import type { Messaging } from '../src/index.js';
import { type Bench, createBench, newAggregate, recorder, sendEvents, sendRaw, wireEvent } from './support.js';

const OPERATOR = 'usr_operator';
const broken = new Set<string>();

let bench: Bench;
let messaging: Messaging;

beforeAll(async () => {
  bench = await createBench();
  messaging = bench.messaging([
    recorder('test.letters', {
      before: ({ envelope }) => {
        if (broken.has(`${envelope.aggregateId}:${String(envelope.sequence)}`)) throw new Error('out of order');
      },
    }),
  ]);
  await messaging.cluster.ensureTopics();
  messaging.start();
}, 60_000);

afterAll(async () => {
  await bench.close();
}, 60_000);

const sequencesOf = async (aggregateId: string): Promise<readonly number[]> =>
  (await bench.effects('test.letters'))
    .filter((effect) => effect.aggregateId === aggregateId)
    .map(({ sequence }) => sequence);

const letterOf = async (aggregateId: string) =>
  await eventually(async () => {
    const { letters } = await messaging.deadLetters.list({ before: undefined, status: undefined, limit: 100 });
    const letter = letters.find((one) => one.aggregateId === aggregateId);
    if (letter === undefined) throw new Error(`no dead letter of ${aggregateId} yet`);
    return letter;
  });

const statusOf = async (deadLetterId: string): Promise<string> =>
  (await messaging.deadLetters.get(deadLetterId)).status;

const replay = async (deadLetterId: string) =>
  await bench.database.transaction((tx) =>
    messaging.deadLetters.replay(tx, deadLetterId, { principalId: OPERATOR, reason: 'repaired', jobId: null }),
  );
const discard = async (deadLetterId: string, reason: string) =>
  await bench.database.transaction((tx) =>
    messaging.deadLetters.discard(tx, deadLetterId, { principalId: OPERATOR, reason, jobId: null }),
  );

/** An aggregate whose second event is a dead letter and whose third waits behind it. */
const stuckAggregate = async (): Promise<string> => {
  const aggregateId = newAggregate();
  broken.add(`${aggregateId}:2`);
  await sendEvents(
    messaging,
    [1, 2, 3].map((sequence) => wireEvent(aggregateId, sequence)),
  );
  return aggregateId;
};

describe('a dead letter', () => {
  it('is applied by a replay once its cause is gone, and what waited behind it too', async () => {
    const aggregateId = await stuckAggregate();
    const letter = await letterOf(aggregateId);
    expect(await messaging.deadLetters.dryRun(letter.deadLetterId)).toEqual({
      wouldSucceed: false,
      reason: 'the handler failed: out of order',
    });
    broken.clear();
    expect(await messaging.deadLetters.dryRun(letter.deadLetterId)).toEqual({
      wouldSucceed: true,
      reason: null,
    });
    expect(await sequencesOf(aggregateId)).toEqual([1]);

    await replay(letter.deadLetterId);
    await eventually(async () => {
      expect(await sequencesOf(aggregateId)).toEqual([1, 2, 3]);
      expect(await statusOf(letter.deadLetterId)).toBe('replayed');
    });
    const effects = await bench.effects('test.letters');
    expect(effects.find((one) => one.aggregateId === aggregateId && one.sequence === 2)?.eventId).toBe(letter.eventId);
    await expect(replay(letter.deadLetterId)).rejects.toMatchObject({
      code: 'dead_letter_settled',
    });
    const { actions } = await messaging.deadLetters.actions({
      before: undefined,
      deadLetterId: letter.deadLetterId,
      jobId: undefined,
      limit: 10,
    });
    expect(actions).toMatchObject([{ action: 'replay', principal_id: OPERATOR, reason: 'repaired' }]);
  });

  it('is open again, with one more attempt, when a replay fails', async () => {
    const aggregateId = await stuckAggregate();
    const letter = await letterOf(aggregateId);
    await replay(letter.deadLetterId);
    await eventually(async () => {
      expect(await messaging.deadLetters.get(letter.deadLetterId)).toMatchObject({
        status: 'open',
        attempts: letter.attempts + 1,
      });
    });
    expect(await sequencesOf(aggregateId)).toEqual([1]);
  });

  it('lets the events behind it go on when it is discarded with a reason', async () => {
    const aggregateId = await stuckAggregate();
    const letter = await letterOf(aggregateId);
    await discard(letter.deadLetterId, 'a test event');
    await eventually(async () => {
      expect(await sequencesOf(aggregateId)).toEqual([1, 3]);
    });
    expect(await statusOf(letter.deadLetterId)).toBe('discarded');
    await sendEvents(messaging, [wireEvent(aggregateId, 4)]);
    await eventually(async () => {
      expect(await sequencesOf(aggregateId)).toEqual([1, 3, 4]);
    });
  });

  it('that could not be read stays one when it is replayed unread, and does not block the true event', async () => {
    const aggregateId = newAggregate();
    const event = wireEvent(aggregateId, 1);
    await sendRaw(messaging, event.topic, event.key, JSON.stringify({ ...event.envelope, payload: {} }));
    const letter = await letterOf(aggregateId);
    await replay(letter.deadLetterId);
    await eventually(async () => {
      expect(await messaging.deadLetters.get(letter.deadLetterId)).toMatchObject({
        status: 'open',
        attempts: 2,
        groupId: letter.groupId,
      });
    });
    await sendEvents(messaging, [event]);
    await eventually(async () => {
      expect(await sequencesOf(aggregateId)).toEqual([1]);
    });
  });

  it('that could not be read lets the events behind it go on when it is discarded', async () => {
    const aggregateId = newAggregate();
    const event = wireEvent(aggregateId, 1);
    await sendRaw(messaging, event.topic, event.key, JSON.stringify({ ...event.envelope, payload: {} }));
    await sendEvents(messaging, [wireEvent(aggregateId, 2)]);
    const letter = await letterOf(aggregateId);
    expect(await sequencesOf(aggregateId)).toEqual([]);
    await discard(letter.deadLetterId, 'its producer was broken');
    await eventually(async () => {
      expect(await sequencesOf(aggregateId)).toEqual([2]);
    });
  });

  it('is not there under another id', async () => {
    await expect(messaging.deadLetters.get('dl_nothing')).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  });
});

describe('the list of dead letters', () => {
  it('comes newest first, page by page', async () => {
    const whole = await messaging.deadLetters.list({ before: undefined, status: undefined, limit: 100 });
    expect(whole.letters.length).toBeGreaterThan(2);
    const first = await messaging.deadLetters.list({ before: undefined, status: undefined, limit: 2 });
    expect(first.hasMore).toBe(true);
    const second = await messaging.deadLetters.list({
      before: first.letters.at(-1)?.deadLetterId,
      status: undefined,
      limit: 100,
    });
    const ids = [...first.letters, ...second.letters].map(({ deadLetterId }) => deadLetterId);
    expect(ids).toEqual(whole.letters.map(({ deadLetterId }) => deadLetterId));
    expect(ids).toEqual([...ids].sort().reverse());
  });
});
